import type { GameName } from "../../protocol/matches.ts";

/** A vector clock: for each game server, a count of requests that it has taken, as far as is known here. */
export type Stamp = Readonly<Partial<Record<GameName, number>>>;

/** Returns the clock after the receipt of another one: for each server the higher number. */
export function merged(a: Stamp, b: Stamp): Stamp {
  const both: Partial<Record<GameName, number>> = { ...a };
  for (const [name, count] of Object.entries(b) as [GameName, number][]) {
    both[name] = Math.max(both[name] ?? 0, count);
  }
  return both;
}

/** Whether the maker of the second clock knew all that the first one counts. */
export function precedes(a: Stamp, b: Stamp): boolean {
  return (Object.entries(a) as [GameName, number][]).every(([name, n]) => n <= (b[name] ?? 0));
}

interface Stamped {
  readonly origin: GameName;
  readonly stamp: Stamp;
}

/**
 * Returns the index of the operation that comes first: one that no other precedes; among several
 * that know nothing of each other, that of the server whose name is lower, and then the older one.
 */
export function firstOf(operations: readonly Stamped[]): number {
  const starts = operations
    .map(({ origin, stamp }, at) => ({ at, origin, stamp }))
    .filter(({ stamp: own, at: place }) => {
      return !operations.some(({ stamp }, at) => {
        return at !== place && precedes(stamp, own) && !precedes(own, stamp);
      });
    });
  starts.sort((a, b) => (a.origin < b.origin ? -1 : a.origin > b.origin ? 1 : a.at - b.at));
  return starts[0]?.at ?? -1;
}
