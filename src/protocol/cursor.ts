import { ProtocolError } from "./errors.ts";
import { isServerName, type ServerName } from "./ids.ts";
import { parseClock } from "./lamport-clock.ts";

/** A position in the total order of events. */
export interface Cursor {
  readonly clock: number;
  readonly server: ServerName;
}

/** Returns a position as the text that `next` and `before` contain. */
export function writeCursor(cursor: Cursor): string {
  return `${cursor.clock}:${cursor.server}`;
}

/**
 * Reads the text of a position.
 * @throws ProtocolError `bad_request` if the text is invalid
 */
export function parseCursor(value: unknown): Cursor {
  const [, digits, server] = typeof value === "string" ? (/^(\d+):(.+)$/.exec(value) ?? []) : [];
  const clock = parseClock(Number(digits));
  if (clock === undefined || !isServerName(server)) {
    throw new ProtocolError("bad_request", "`before` must be a `next` of an earlier page.");
  }
  return { clock, server };
}
