import { ProtocolError } from "./errors.ts";
import { isServerName, type ServerName } from "./ids.ts";
import { parseClock } from "./lamport-clock.ts";

/** A place in the total order. */
export interface Cursor {
  readonly clock: number;
  readonly server: ServerName;
}

/** The text of a place, which `next` gives and `before` takes. */
export function writeCursor(cursor: Cursor): string {
  return `${cursor.clock}:${cursor.server}`;
}

/** @throws ProtocolError `bad_request` */
export function parseCursor(value: unknown): Cursor {
  const [, digits, server] = typeof value === "string" ? (/^(\d+):(.+)$/.exec(value) ?? []) : [];
  const clock = parseClock(Number(digits));
  if (clock === undefined || !isServerName(server)) {
    throw new ProtocolError("bad_request", "`before` must be a `next` of an earlier page.");
  }
  return { clock, server };
}
