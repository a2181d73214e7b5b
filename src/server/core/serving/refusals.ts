import type { Refused } from "../../../protocol/client-messages.ts";
import { ProtocolError } from "../../../protocol/errors.ts";
import { durations, limits } from "../../../protocol/limits.ts";
import type { ClaimOutcome } from "../../../protocol/peer-messages.ts";

export const tooManyOpen = `This connection has ${limits.connectionOpen} requests that wait here already.`;

export function behindForGuests(): ProtocolError {
  return new ProtocolError(
    "behind",
    "This server lacks some of what `after` names, and nothing waits without a session.",
  );
}

export function claimError(user: string, outcome: ClaimOutcome): ProtocolError {
  if (outcome === "taken") return nameTaken(user);
  if (outcome !== "alike") {
    return unavailable("No coordinator could decide on it in time; it may still be decided.");
  }
  const description = `A name that looks like "${user}" belongs to an account already.`;
  return new ProtocolError("name_taken", description, { reason: "name_confusable" });
}

export function nameTaken(user: string): ProtocolError {
  return new ProtocolError("name_taken", `The name "${user}" belongs to an account already.`);
}

export function passwordFailed(): ProtocolError {
  return new ProtocolError("internal", "The server could not work on the password.");
}

export const tooManyClaims = () => unavailable("This server has too many names to decide on.");
export const tooManyPasswords = () => unavailable("This server has too many passwords to check.");
export const tooManyTraces = () => unavailable("This server has too many open traces.");
export const tooManyRequests = () => unavailable("This server has too many open requests.");

export function noQuorum(): ProtocolError {
  const text = `No majority of the servers had it on disk within ${durations.commitMs} ms; it may still spread.`;
  return unavailable(text);
}

export function unavailable(description: string): ProtocolError {
  return new ProtocolError("unavailable", description);
}

/** The error of a request that the gate refused. */
export function toError({ refused: { code, description } }: Refused): ProtocolError {
  return new ProtocolError(code, description);
}
