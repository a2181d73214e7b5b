import { type Refusal, refusalText } from "../net/connection-refusal.ts";
import { addressesOf } from "../platform/endpoint.ts";
import type { Service } from "../protocol/client-messages.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { characters } from "../protocol/ids.ts";
import { limits } from "../protocol/limits.ts";
import type { RequestData } from "../protocol/request-data.ts";

export function silenceError(): ProtocolError {
  return new ProtocolError("unavailable", "No server answered in time.");
}

/** @param refusal why a broker refused the connection, if one did */
export function absenceError(
  brokers: readonly string[],
  refusal: Refusal | undefined,
): ProtocolError {
  const where = addressesOf(brokers);
  const sentence =
    refusal === undefined
      ? `No broker can be reached at ${where}.`
      : `The broker at ${where} does not take the connection: ${refusalText[refusal]}.`;
  return new ProtocolError("unavailable", sentence);
}

export function askedAgainError(): ProtocolError {
  return new ProtocolError("unavailable", "The same request was asked for again.");
}

export function closedError(what: "connection" | "session"): ProtocolError {
  return new ProtocolError("unavailable", `The ${what} was closed before an answer came.`);
}

/**
 * @returns an error if servers would refuse `message` as too long. The client does not send this
 * request, because a broker ends a connection that sends too large a frame.
 */
export function tooLarge(data: RequestData[Service]): ProtocolError | undefined {
  if (!("message" in data) || data.message.length <= limits.messageCharacters) return undefined;
  const length = characters(data.message);
  if (length <= limits.messageCharacters) return undefined;
  return new ProtocolError(
    "too_large",
    `\`message\` must have 1 to ${limits.messageCharacters} characters; it has ${length}.`,
  );
}
