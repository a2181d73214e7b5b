import type { ServerName } from "./ids.ts";
import { parseClock } from "./lamport-clock.ts";

/** A coordinator's term of office: compared by the number of the view, then by the term. */
export interface Epoch {
  readonly view: number;
  readonly term: number;
}

/** Below all that anybody stands for. */
export const noEpoch: Epoch = { view: 0, term: 0 };

/** Negative if `a` comes before `b`, positive if after, 0 if they are equal. */
export function compareEpochs(a: Epoch, b: Epoch): number {
  return a.view - b.view || a.term - b.term;
}

/** An epoch and who asks to have it promised. */
export interface Ballot {
  readonly epoch: Epoch;
  /** None as long as nothing was promised. */
  readonly candidate: ServerName | undefined;
}

export function isSameBallot(a: Ballot, b: Ballot): boolean {
  return a.candidate === b.candidate && compareEpochs(a.epoch, b.epoch) === 0;
}

export const noBallot: Ballot = { epoch: noEpoch, candidate: undefined };

/** The epoch as it stands on the wire and on disk, or undefined if it is none. */
export function parseEpoch(value: unknown): Epoch | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { view, term } = value as Record<string, unknown>;
  if (parseClock(view) === undefined || parseClock(term) === undefined) return undefined;
  return { view: view as number, term: term as number };
}

/** `3.2` for the second term of view 3: for people. */
export function writeEpoch({ view, term }: Epoch): string {
  return `${view}.${term}`;
}
