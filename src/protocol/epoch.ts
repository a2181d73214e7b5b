import type { ServerName } from "./ids.ts";
import { parseClock } from "./lamport-clock.ts";

/** A coordinator's term of office: compared by the number of the view, then by the term. */
export interface Epoch {
  readonly view: number;
  readonly term: number;
}

/** Below the epoch of every candidate. */
export const noEpoch: Epoch = { view: 0, term: 0 };

/** Negative if `a` comes before `b`, positive if after, 0 if they are equal. */
export function compareEpochs(a: Epoch, b: Epoch): number {
  return a.view - b.view || a.term - b.term;
}

/** An epoch, and the candidate that asks for its promise. */
export interface Ballot {
  readonly epoch: Epoch;
  /** Undefined until something is promised. */
  readonly candidate: ServerName | undefined;
}

export function isSameBallot(a: Ballot, b: Ballot): boolean {
  return a.candidate === b.candidate && compareEpochs(a.epoch, b.epoch) === 0;
}

export const noBallot: Ballot = { epoch: noEpoch, candidate: undefined };

/** An epoch of the wire or the disk; undefined if it is invalid. */
export function parseEpoch(value: unknown): Epoch | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { view, term } = value as Record<string, unknown>;
  if (parseClock(view) === undefined || parseClock(term) === undefined) return undefined;
  return { view: view as number, term: term as number };
}

/** For people: `3.2` is the second term of view 3. */
export function writeEpoch({ view, term }: Epoch): string {
  return `${view}.${term}`;
}
