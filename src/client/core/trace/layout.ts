import type { Text } from "../../../texts/texts.ts";
import type { Diagram } from "./diagram.ts";
import { concurrent, type Point, type PointKind } from "./points.ts";
import { concurrentColumn, lineName, msColumn, notesOf, pointWords, titleOf } from "./words.ts";

/** A text: `y` is its baseline, and `anchor` says which part of the text is at `x`. */
export interface Label {
  readonly x: number;
  readonly y: number;
  readonly anchor: "start" | "middle" | "end";
  readonly words: string;
}

/** The vertical line of a process, with the lines of its name on top. */
export interface Lane {
  readonly x: number;
  readonly top: number;
  readonly bottom: number;
  readonly heading: readonly Label[];
  readonly isSilent: boolean;
}

/** A point, the clock next to it, and the row of the table beside it. */
export interface Row {
  readonly x: number;
  readonly y: number;
  readonly clock: Label;
  readonly cells: readonly Label[];
}

export type ArrowKind = "client" | "event" | "acknowledgement";

/** An arrow: a line, and a head that is given as the corners of a triangle. */
export interface Shaft {
  readonly kind: ArrowKind;
  readonly from: Place;
  /** The control point of a quadratic curve; the middle of a straight line. */
  readonly via: Place;
  readonly to: Place;
  readonly head: readonly Place[];
  /** Whether the sender's step is unknown, or the receiver is not in the diagram. */
  readonly isOpen: boolean;
}

/** Rows whose points are all concurrent with each other. */
export interface Band {
  readonly y: number;
  readonly height: number;
}

interface Place {
  readonly x: number;
  readonly y: number;
}

/** The places of all parts of a picture, in pixels. All characters of the font are equally wide. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly title: Label;
  readonly lanes: readonly Lane[];
  readonly headings: readonly Label[];
  readonly rows: readonly Row[];
  readonly arrows: readonly Shaft[];
  readonly bands: readonly Band[];
  readonly notes: readonly Label[];
}

const margin = 16;
const rowHeight = 26;
/** The least space on each side of a line, for clocks and the name. */
const leastSide = 48;
const lineHeight = 18;
/** The width of a character of the font at 12 pixels. */
const characterWidth = 7.3;
const gap = 20;
const headingCharacters = 12;
const dot = 5;

/** Places a diagram: time goes down, each process has a line, and each point has a row of its own. */
export function layoutOf(diagram: Diagram, text: Text): Layout {
  const { lines, points } = diagram;
  const titleY = margin + 14;
  const top = titleY + 3 * lineHeight + 8;
  const firstY = top + rowHeight;
  const bottom = firstY + Math.max(0, points.length - 1) * rowHeight + rowHeight / 2;
  const clocks = points.map(({ clock }) => String(clock ?? "").length);
  const side = Math.max(leastSide, Math.max(0, ...clocks) * characterWidth + 2 * dot + 4);
  const laneX = (line: number) => margin + side + line * Math.max(2 * leastSide, side + dot);
  const rowY = (row: number) => firstY + row * rowHeight;
  const tableX = (lines.length === 0 ? margin : laneX(lines.length - 1) + side) + gap;
  const { headings, cells, width } = tableOf(diagram, { text, x: tableX, top, rowY });
  const places = new Map(
    points.map((point, row): [Point, Place] => [point, { x: laneX(point.line), y: rowY(row) }]),
  );
  const title = titleOf(diagram, text);
  const needed = Math.max(width, margin + title.length * characterWidth) + margin;
  const characters = Math.floor((needed - 2 * margin) / characterWidth);
  const notes = [text("trace.legend"), ...notesOf(diagram, text)]
    .flatMap((note) => wrapped(note, characters))
    .map((words, at): Label => {
      return { x: margin, y: bottom + (at + 1.5) * lineHeight, anchor: "start", words };
    });
  return {
    width: Math.ceil(needed),
    height: Math.ceil(bottom + (notes.length + 1) * lineHeight + margin),
    title: { x: margin, y: titleY, anchor: "start", words: title },
    lanes: lines.map((line, at) => {
      const x = laneX(at);
      const heading = headingOf(lineName(line, text)).map((words, row, { length }): Label => {
        return { x, y: top - 6 - (length - 1 - row) * 14, anchor: "middle", words };
      });
      return { x, top, bottom, heading, isSilent: line.isSilent };
    }),
    headings,
    rows: points.map((point, row) => {
      const place = places.get(point) as Place;
      return { ...place, clock: clockOf(diagram, point, place), cells: cells[row] ?? [] };
    }),
    arrows: shaftsOf(diagram, { places, laneX }),
    bands: bandsOf(points).map(([first, last]) => {
      const height = (last - first + 1) * rowHeight - 4;
      return { y: rowY(first) - rowHeight / 2 + 2, height };
    }),
    notes,
  };
}

interface TablePlace {
  readonly text: Text;
  readonly x: number;
  readonly top: number;
  rowY(row: number): number;
}

/** The columns beside the lines: number, milliseconds, words, and concurrent points. */
function tableOf(diagram: Diagram, { text, x, top, rowY }: TablePlace) {
  const numbers = diagram.points.map((_, at) => String(at + 1));
  const words = diagram.points.map((point) => pointWords(point, text));
  const columns = [
    { heading: "#", cells: numbers, isRight: true },
    { heading: "MS", cells: msColumn(diagram), isRight: true },
    { heading: text("trace.step"), cells: words, isRight: false },
    { heading: text("trace.concurrent"), cells: concurrentColumn(diagram), isRight: false },
  ];
  const headings: Label[] = [];
  const rows: Label[][] = diagram.points.map(() => []);
  let left = x;
  for (const { heading, cells, isRight } of columns) {
    const longest = Math.max(...[heading, ...cells].map(({ length }) => length));
    const place = { x: isRight ? left + longest * characterWidth : left };
    const anchor = isRight ? "end" : "start";
    headings.push({ ...place, y: top - 6, anchor, words: heading });
    for (const [row, cell] of cells.entries()) {
      rows[row]?.push({ ...place, y: rowY(row) + 4, anchor, words: cell });
    }
    left += longest * characterWidth + gap;
  }
  return { headings, cells: rows, width: left - gap };
}

/** The clock is to the right, unless only the left is free of arrows. */
function clockOf({ arrows }: Diagram, point: Point, { x, y }: Place): Label {
  const sides = arrows.flatMap(({ from, fromLine, to }) => {
    if (to === point) return [fromLine - point.line];
    return from === point ? [to.line - point.line] : [];
  });
  const isRightFree = point.kind !== "published" && sides.every((side) => side < 0);
  const isLeftFree = sides.every((side) => side > 0);
  const words = String(point.clock ?? "");
  return isLeftFree && !isRightFree
    ? { x: x - dot - 4, y: y + 4, anchor: "end", words }
    : { x: x + dot + 4, y: y + 4, anchor: "start", words };
}

interface Places {
  readonly places: ReadonlyMap<Point, Place>;
  laneX(line: number): number;
}

function shaftsOf({ arrows, points, lines }: Diagram, { places, laneX }: Places): Shaft[] {
  const drawn = arrows.flatMap(({ from, fromLine, to }): Shaft[] => {
    const target = places.get(to);
    if (target === undefined) return [];
    const source = from && places.get(from);
    const start = source ?? { x: laneX(fromLine), y: target.y };
    const before = source === undefined ? 0 : dot;
    const sizes = { before, after: dot + 1, others: [...places.values()] };
    return [{ kind: kindOf(to), isOpen: source === undefined, ...shaft(start, target, sizes) }];
  });
  // The diagram does not show the receivers of these messages, so their arrows end beside the line.
  const hasAnswer = points.some(({ kind }) => kind === "answered");
  const leaving = points.flatMap((point): Shaft[] => {
    const place = places.get(point);
    const isReply = point.kind === "replied" && !hasAnswer && lines[0]?.server === undefined;
    if (place === undefined || (point.kind !== "published" && !isReply)) return [];
    const end = { x: place.x + (isReply ? -30 : 30), y: place.y + rowHeight / 2 };
    return [{ kind: "client", isOpen: true, ...shaft(place, end, { before: dot, after: 0 }) }];
  });
  return [...drawn, ...leaving];
}

const eventKinds: readonly PointKind[] = ["received", "prepared", "checked", "copied", "dropped"];
const acknowledged: readonly PointKind[] = ["heard", "agreed", "made", "rolledBack"];

function kindOf({ kind }: Point): ArrowKind {
  if (acknowledged.includes(kind)) return "acknowledgement";
  return eventKinds.includes(kind) ? "event" : "client";
}

/** Shortens a line at both ends, gives it a head, and bends it around other points. */
function shaft(from: Place, to: Place, { before, after, others = [] }: Ends) {
  const [dx, dy] = direction(from, to);
  const isNear = ({ x, y }: Place) => {
    const along = (x - from.x) * dx + (y - from.y) * dy;
    const isBetween = along > dot && along < Math.hypot(to.x - from.x, to.y - from.y) - dot;
    return isBetween && Math.abs((x - from.x) * dy - (y - from.y) * dx) <= dot + 2;
  };
  const bend = others.some(isNear) ? rowHeight : 0;
  const via = { x: (from.x + to.x) / 2 - dy * bend, y: (from.y + to.y) / 2 + dx * bend };
  const [startX, startY] = direction(from, via);
  const [endX, endY] = direction(via, to);
  const tip = { x: to.x - endX * after, y: to.y - endY * after };
  const back = { x: tip.x - endX * 9, y: tip.y - endY * 9 };
  return {
    from: { x: from.x + startX * before, y: from.y + startY * before },
    via,
    to: back,
    head: [
      tip,
      { x: back.x - endY * 4, y: back.y + endX * 4 },
      { x: back.x + endY * 4, y: back.y - endX * 4 },
    ],
  };
}

interface Ends {
  /** How far from its places the arrow begins and ends. */
  readonly before: number;
  readonly after: number;
  readonly others?: readonly Place[];
}

function direction(from: Place, to: Place): [x: number, y: number] {
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  return [(to.x - from.x) / length, (to.y - from.y) / length];
}

/** @returns the first and last index of each run of points that are all concurrent with each other */
export function bandsOf(points: readonly Point[]): [first: number, last: number][] {
  const runs: [number, number][] = [];
  let first = 0;
  for (const [at] of points.entries()) {
    const run = points.slice(first, at + 1);
    const next = points[at + 1];
    if (next !== undefined && run.every((point) => concurrent(point, next))) continue;
    if (run.length > 1) runs.push([first, at]);
    first = at + 1;
  }
  return runs;
}

/** A name in at most two lines; the end of a longer line is left out. */
function headingOf(name: string): string[] {
  const split = name.indexOf("_") + 1;
  const parts = split > 0 ? [name.slice(0, split), name.slice(split)] : [name];
  return parts.map((part) => {
    return part.length > headingCharacters ? `${part.slice(0, headingCharacters - 1)}…` : part;
  });
}

function wrapped(words: string, characters: number): string[] {
  const lines: string[] = [];
  for (const word of words.split(" ")) {
    const last = lines.at(-1);
    const isFull = last === undefined || last.length + 1 + word.length > characters;
    if (isFull) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
