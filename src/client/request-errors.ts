import { isErrorCode, isRefusalReason, ProtocolError } from "../protocol/errors.ts";
import { characters } from "../protocol/ids.ts";
import { limits } from "../protocol/limits.ts";

type Fields = Readonly<Record<string, unknown>>;

/** What a server answered in place of a reply. */
export function readError({ code, description, wait, reason }: Fields): ProtocolError {
  return new ProtocolError(isErrorCode(code) ? code : "internal", String(description), {
    wait: typeof wait === "number" ? wait : undefined,
    reason: isRefusalReason(reason) ? reason : undefined,
  });
}

export function closedError(): ProtocolError {
  return new ProtocolError("unavailable", "The connection was closed before an answer came.");
}

/** What no server would take is not sent: a frame that is too large costs the connection. */
export function tooLarge({ message }: Fields): ProtocolError | undefined {
  if (typeof message !== "string" || message.length <= limits.messageCharacters) return undefined;
  const length = characters(message);
  if (length <= limits.messageCharacters) return undefined;
  return new ProtocolError(
    "too_large",
    `\`message\` must have 1 to ${limits.messageCharacters} characters; it has ${length}.`,
  );
}
