import type { ProcessName, Step, StepKind } from "../../../protocol/steps.ts";

/** What a point shows: a server's step, or the client sending its request or getting its receipt. */
export type PointKind = StepKind | "requested" | "answered";

/** The line of a process, from top to bottom. The client's line comes first, then the origin's. */
export interface Line {
  /** Undefined for the client. */
  readonly server: ProcessName | undefined;
  /** A silent server did not answer, so it has no points. */
  readonly isSilent: boolean;
  /** Milliseconds by which the times of the line's points were corrected; null if they were not. */
  readonly offsetMs: number | null;
}

/** Which operations of a match a point is about, and why they were refused, if they were. */
type InMatch = Pick<Step, "round" | "operations" | "reason">;

/** Something that a process did, at its place in the order of the diagram. */
export interface Point extends InMatch {
  /** The index of the point's line. */
  readonly line: number;
  readonly kind: PointKind;
  readonly peer: ProcessName | undefined;
  /** The Lamport clock of the process; undefined if the client sent none. */
  readonly clock: number | undefined;
  /** Milliseconds since 1970, in the cluster's time as far as it is known. */
  readonly timeMs: number | undefined;
  /** The vector clock: for each line, how many of its points are this point or happened before. */
  readonly vector: readonly number[];
}

/** A message from one point to another. */
export interface Arrow {
  /** Undefined if the sender's step is unknown. */
  readonly from: Point | undefined;
  /** The index of the sender's line. */
  readonly fromLine: number;
  readonly to: Point;
}

/** A point before it has its place in the order. */
export interface Draft extends InMatch {
  readonly kind: PointKind;
  /** The sender of the message, if the point is the arrival of a message. */
  readonly peer: ProcessName | undefined;
  readonly clock: number | undefined;
  /** The Lamport clock in the message. */
  readonly sentClock: number | undefined;
  /** Milliseconds since 1970, corrected; undefined if unknown. */
  readonly timeMs: number | undefined;
}

/** A message between two points that have no place in the order yet. */
export interface Link {
  readonly from: Draft | undefined;
  /** The sender's last known point that surely came before the message was sent. */
  readonly before: Draft | undefined;
  /** The index of the sender's line. */
  readonly fromLine: number;
  readonly to: Draft;
}

/** Whether `a` happened before `b`, by their vector clocks. Both are points of one diagram. */
export function happensBefore(a: Point, b: Point): boolean {
  return a !== b && (b.vector[a.line] ?? 0) >= (a.vector[a.line] ?? 0);
}

/** Whether neither of two different points can have caused the other. */
export function concurrent(a: Point, b: Point): boolean {
  return a !== b && !happensBefore(a, b) && !happensBefore(b, a);
}
