import { cellsOf, cut } from "./cells.ts";

/** The meaning of a piece of a line; `paint-line.ts` chooses its colour. */
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
  /** The complete address; the span's text may be only a part of the address. */
  readonly link?: string;
}

export type Line = readonly Span[];

export function span(text: string, style: Style = "plain"): Span {
  return { text, style };
}

export function lineCells(line: Line): number {
  return line.reduce((cells, { text }) => cells + cellsOf(text), 0);
}

/** @returns the line, cut to the given width */
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

/** Puts two pieces at the ends of a line. The left piece is cut if the line is too short. */
export function spread(left: Line, right: Line, cells: number): Line {
  const end = fitLine(right, cells);
  const room = cells - lineCells(end);
  const start = fitLine(left, Math.max(0, room - 1));
  const gap = room - lineCells(start);
  return end.length === 0 ? start : [...start, span(" ".repeat(Math.max(0, gap))), ...end];
}

/** Pads a line with spaces, or cuts the line, to an exact width. */
export function fillLine(line: Line, cells: number): Line {
  const fitting = fitLine(line, cells);
  const missing = cells - lineCells(fitting);
  return missing > 0 ? [...fitting, span(" ".repeat(missing))] : fitting;
}
