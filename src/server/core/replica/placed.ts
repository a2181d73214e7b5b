import assert from "node:assert";
import type { Event } from "../../../protocol/event.ts";
import type { Fields } from "../../../protocol/fields.ts";
import {
  isServerName,
  parseRequestId,
  type RequestId,
  type ServerName,
} from "../../../protocol/ids.ts";
import { parseClock } from "../../../protocol/lamport-clock.ts";
import { isoTime } from "../../../protocol/time.ts";
import type { Vector } from "../../../protocol/vector.ts";

/** The fields that name an event and place it in the total order. */
export interface Placed {
  readonly server: ServerName;
  readonly seq: number;
  readonly clock: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  /**
   * The id of the request. Undefined if the request had none; the event's name then serves as the
   * id (R6).
   */
  readonly id: RequestId | undefined;
}

/** Returns the event's server, `seq`, clock and time, and the request's id. */
export function place(event: Omit<Event, "operation" | "data">, id: RequestId | undefined): Placed {
  const { server, seq, clock, timestamp: time } = event;
  return { server, seq, clock, time, id: id === nameOf(event) ? undefined : id };
}

/** Returns the id of the request, or the event's name if the request had no id (R6). */
export function idOf(placed: Placed): string {
  return placed.id ?? nameOf(placed);
}

export function nameOf({
  server,
  seq,
}: {
  readonly server: ServerName;
  readonly seq: number;
}): string {
  return `${server}/${seq}`;
}

export function isCommitted(placed: Placed, committed: Vector): boolean {
  return placed.seq <= (committed[placed.server] ?? 0);
}

/** Returns the fields of a place in the form that saved states have. */
export function writePlace({ server, seq, clock, time, id }: Placed) {
  return { server, seq, clock, timestamp: isoTime(time), id };
}

/** @throws Error if a field of the place is missing or invalid */
export function readPlace(entry: Fields): Placed {
  const { server } = entry;
  const seq = parseClock(entry.seq);
  const clock = parseClock(entry.clock);
  const timestamp = typeof entry.timestamp === "string" ? Date.parse(entry.timestamp) : Number.NaN;
  assert(isServerName(server) && seq !== undefined && clock !== undefined, "it has no place");
  assert(!Number.isNaN(timestamp), "it has no `timestamp`");
  return place({ server, seq, clock, timestamp }, parseRequestId(entry.id));
}
