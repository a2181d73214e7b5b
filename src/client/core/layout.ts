import { harmless } from "../../protocol/harmless.ts";
import { cellsOf } from "./cells.ts";
import type { ChatModel, Size } from "./chat-model.ts";
import type { Editor } from "./line-editor.ts";

/** The fewest columns of a terminal that shows the list of conversations. */
const listFrom = 60;
const mostInputRows = 5;
export const promptText = "› ";

export type Layout = ReturnType<typeof layoutOf>;

/** Divides the screen among the list (0 columns if hidden), the pane and the input. */
export function layoutOf({ size, editor, overlay }: ChatModel) {
  const columns = Math.max(4, size.columns);
  const rows = Math.max(1, size.rows);
  const most = Math.max(1, Math.min(mostInputRows, Math.floor(rows / 3)));
  const written = overlay?.type === "switch" ? overlay.filter : editor;
  const input = inputLayout(written, columns - promptText.length, most);
  const listColumns = listColumnsOf(size);
  const left = rows - input.height;
  const hasStatus = left > 1;
  const hasTitle = left > 4;
  return {
    columns,
    rows,
    listColumns,
    paneColumns: paneColumnsOf(size),
    hasTitle,
    hasStatus,
    paneRows: Math.max(0, left - Number(hasStatus) - Number(hasTitle)),
    input,
  };
}

function listColumnsOf({ columns }: Size): number {
  return columns < listFrom ? 0 : Math.min(24, Math.floor(columns / 5));
}

/** Width of the messages, the help and the quick switch. */
export function paneColumnsOf(size: Size): number {
  const columns = Math.max(4, size.columns);
  const listColumns = listColumnsOf(size);
  return listColumns === 0 ? columns : columns - listColumns - 2;
}

/**
 * Breaks the text into rows at any character, not only between words. So typing never moves the
 * word before the cursor to the next row.
 * @returns `cursor`, the cursor's place among all rows; `top`, the first visible row; `height`, the
 * number of visible rows
 */
function inputLayout({ graphemes: parts, cursor }: Editor, columns: number, most: number) {
  const rows: string[] = [""];
  let used = 0;
  let place = { row: 0, column: 0 };
  const breakRow = () => {
    rows.push("");
    used = 0;
  };
  // After the last character, the cursor takes a cell of its own, which may need a new row.
  const shown = cursor < parts.length ? parts : [...parts, ""];
  shown.forEach((part, at) => {
    const isBreak = part === "\n";
    const text = isBreak ? "" : harmless(part);
    const cells = cellsOf(text);
    if (used + cells > columns || (used === columns && !isBreak)) breakRow();
    if (at === cursor) place = { row: rows.length - 1, column: used };
    rows[rows.length - 1] += text;
    used += cells;
    if (isBreak) breakRow();
  });
  const height = Math.min(most, rows.length);
  const top = Math.max(0, Math.min(place.row - height + 1, rows.length - height));
  return { rows, cursor: place, top, height };
}
