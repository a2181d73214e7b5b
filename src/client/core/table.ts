export interface Column {
  readonly heading: string;
  /** Numbers stand on the right. */
  readonly right?: boolean;
}

/** Lines of a table: headings, then the rows; as wide as their widest cell. */
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
