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

/** What names an event and places it in the order. */
export interface Placed {
  readonly server: ServerName;
  readonly seq: number;
  readonly clock: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** The id of the request; undefined if it had none: then the event's name counts as its id (R6). */
  readonly id: RequestId | undefined;
}

/** What all events have, as the state keeps it. */
export function place(event: Omit<Event, "operation" | "data">, id: RequestId | undefined): Placed {
  const { server, seq, clock, timestamp: time } = event;
  return { server, seq, clock, time, id: id === nameOf(event) ? undefined : id };
}

/** A request without an id is named by its event (R6). */
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

/** The fields of a place in an entry of a saved state. */
export function writePlace({ server, seq, clock, time, id }: Placed) {
  return { server, seq, clock, timestamp: isoTime(time), id };
}

/** @throws Error if the entry has no place */
export function readPlace(entry: Fields): Placed {
  const { server } = entry;
  const seq = parseClock(entry.seq);
  const clock = parseClock(entry.clock);
  const timestamp = typeof entry.timestamp === "string" ? Date.parse(entry.timestamp) : Number.NaN;
  assert(isServerName(server) && seq !== undefined && clock !== undefined, "it has no place");
  assert(!Number.isNaN(timestamp), "it has no `timestamp`");
  return place({ server, seq, clock, timestamp }, parseRequestId(entry.id));
}
