export interface Column {
  readonly heading: string;
  /** Whether the column is aligned to the right, as numbers are. */
  readonly right?: boolean;
}

/**
 * @returns the lines of a table: headings, then rows. Each column is as wide as its widest cell.
 */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const all = [columns.map(({ heading }) => heading), ...rows];
  const widths = columns.map((_, at) => Math.max(...all.map((row) => [...(row[at] ?? "")].length)));
  return all.map((row) =>
    columns
      .map(({ right }, at) => {
        const cell = row[at] ?? "";
        const space = " ".repeat((widths[at] ?? 0) - width(cell));
        return right ? space + cell : cell + space;
      })
      .join("  ")
      .trimEnd(),
  );
}

function width(text: string): number {
  return [...text].length;
}
