import { cellsOf, cut } from "./cells.ts";

/** The meaning of a piece of a line; the terminal decides how that looks. */
export type Style =
  | "plain"
  | "dim"
  | "bold"
  | "good"
  | "warning"
  | "bad"
  | "mention"
  | `name${0 | 1 | 2 | 3 | 4 | 5 | 6 | 7}`;

export interface Span {
  readonly text: string;
  readonly style: Style;
  /** The whole address, of which the text may be a part. */
  readonly link?: string;
}

export type Line = readonly Span[];

export function span(text: string, style: Style = "plain"): Span {
  return { text, style };
}

export function lineCells(line: Line): number {
  return line.reduce((cells, { text }) => cells + cellsOf(text), 0);
}

/** As much of a line as fits. */
export function fitLine(line: Line, cells: number): Line {
  const fitting: Span[] = [];
  let room = cells;
  for (const piece of line) {
    const width = cellsOf(piece.text);
    if (width > room) {
      if (room > 0) fitting.push({ ...piece, text: cut(piece.text, room) });
      return fitting;
    }
    fitting.push(piece);
    room -= width;
  }
  return fitting;
}

/** Puts two pieces at the ends of a line; the left one is cut if there is no room. */
export function spread(left: Line, right: Line, cells: number): Line {
  const end = fitLine(right, cells);
  const room = cells - lineCells(end);
  const start = fitLine(left, Math.max(0, room - 1));
  const gap = room - lineCells(start);
  return end.length === 0 ? start : [...start, span(" ".repeat(Math.max(0, gap))), ...end];
}

/** Fills a line with spaces up to a width. */
export function fillLine(line: Line, cells: number): Line {
  const fitting = fitLine(line, cells);
  const missing = cells - lineCells(fitting);
  return missing > 0 ? [...fitting, span(" ".repeat(missing))] : fitting;
}
