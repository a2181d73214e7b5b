import { PeerMessageError } from "./errors.ts";
import { isMap } from "./fields.ts";
import type { ServerName } from "./ids.ts";
import { isServerName } from "./ids.ts";
import { parseClock } from "./lamport-clock.ts";

/** The numbered list of member servers; view 0 has no members. */
export interface View {
  readonly number: number;
  readonly members: readonly ServerName[];
}

export const noView: View = { number: 0, members: [] };

export function quorumOf(view: View): number {
  return Math.floor(view.members.length / 2) + 1;
}

/**
 * Reads a view; any value but a map reads as `noView`.
 * @throws PeerMessageError if the map is invalid
 */
export function parseView(value: unknown): View {
  if (!isMap(value)) return noView;
  const { number, members } = value;
  if (!Array.isArray(members) || !members.every(isServerName)) {
    throw new PeerMessageError("`view` has no list of members");
  }
  const known = parseClock(number);
  if (known === undefined) throw new PeerMessageError("`view.number` is missing or wrong");
  return { number: known, members };
}
