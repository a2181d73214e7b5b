import type { Refused } from "../../../protocol/client-messages.ts";
import { ProtocolError } from "../../../protocol/errors.ts";
import { durations, limits } from "../../../protocol/limits.ts";

export const tooManyOpen = `This connection has ${limits.connectionOpen} requests that wait here already.`;

export function behindForGuests(): ProtocolError {
  return new ProtocolError(
    "behind",
    "This server lacks some of what `after` names, and nothing waits without a session.",
  );
}

/**
 * What clients are told of a write or an operation of which nobody knows in time whether it takes
 * effect: it depends on what the servers wait for.
 */
export interface LateWords {
  readonly write: string;
  readonly decision: string;
}

export const lateInReplicas: LateWords = {
  write: `No majority of the servers had it on disk within ${durations.commitMs} ms; it may still spread.`,
  decision: "No coordinator could decide on it in time; it may still be decided.",
};

const unconfirmed =
  "The servers' database does not answer, or its standby does not confirm, so it may still take " +
  "effect: send it again with the same id.";
export const lateInEngine: LateWords = { write: unconfirmed, decision: unconfirmed };

/** @param older a server of a version that does not know decisions */
export function undecided(older: string | undefined, late: LateWords): ProtocolError {
  if (older === undefined) return unavailable(late.decision);
  const text = `Nothing can be decided until all servers are upgraded: ${older} is of an older version.`;
  return new ProtocolError("unavailable", text, { reason: "upgrade_unfinished" });
}

export function notAsOfNow(): ProtocolError {
  return unavailable("No majority of the servers told in time what is decided.");
}

export function passwordFailed(): ProtocolError {
  return new ProtocolError("internal", "The server could not work on the password.");
}

export const tooManyOperations = () => unavailable("This server has too much to decide on.");
export const tooManyPasswords = () => unavailable("This server has too many passwords to check.");
export const tooManyTraces = () => unavailable("This server has too many open traces.");
export const tooManySearches = () => unavailable("This server has too many open searches.");
export const notSearched = () => unavailable("The engine did not search.");
export const tooManyRequests = () => unavailable("This server has too many open requests.");

export function unavailable(description: string): ProtocolError {
  return new ProtocolError("unavailable", description);
}

/** The error of a request that the gate refused. */
export function toError({ refused: { code, description } }: Refused): ProtocolError {
  return new ProtocolError(code, description);
}
