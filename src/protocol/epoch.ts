import type { ServerName } from "./ids.ts";
import { parseClock } from "./lamport-clock.ts";

/** The number of a coordinator's term. Epochs are ordered by view, then by term. */
export interface Epoch {
  readonly view: number;
  readonly term: number;
}

/** An epoch lower than the epoch of any candidate. */
export const noEpoch: Epoch = { view: 0, term: 0 };

/**
 * Returns a negative number if `a` is lower, a positive number if `a` is higher, 0 if both are
 * equal.
 */
export function compareEpochs(a: Epoch, b: Epoch): number {
  return a.view - b.view || a.term - b.term;
}

/** An epoch, and the candidate that asks members to promise this epoch. */
export interface Ballot {
  readonly epoch: Epoch;
  /** Undefined in `noBallot`, the ballot of a member that has promised no epoch yet. */
  readonly candidate: ServerName | undefined;
}

export function isSameBallot(a: Ballot, b: Ballot): boolean {
  return a.candidate === b.candidate && compareEpochs(a.epoch, b.epoch) === 0;
}

export const noBallot: Ballot = { epoch: noEpoch, candidate: undefined };

/** Reads an epoch from the network or a file; returns undefined if the epoch is invalid. */
export function parseEpoch(value: unknown): Epoch | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { view, term } = value as Record<string, unknown>;
  if (parseClock(view) === undefined || parseClock(term) === undefined) return undefined;
  return { view: view as number, term: term as number };
}

/** Returns the epoch in a form for logs and tables: `3.2` is the second term of view 3. */
export function writeEpoch({ view, term }: Epoch): string {
  return `${view}.${term}`;
}
