import type { Event } from "../../../protocol/event.ts";
import type { RequestId, ServerName } from "../../../protocol/ids.ts";
import type { Vector } from "../../../protocol/vector.ts";

/** What names an event and places it in the order. */
export interface Placed {
  readonly server: ServerName;
  readonly seq: number;
  readonly clock: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** The request's, if it had one: without one, the event's own name stands for it (R6). */
  readonly id: RequestId | undefined;
}

/** What all events share, as the state keeps it. */
export function place(event: Omit<Event, "operation" | "data">, id: RequestId | undefined): Placed {
  const { server, seq, clock, timestamp: time } = event;
  return { server, seq, clock, time, id: id === nameOf(event) ? undefined : id };
}

/** A request without an id is named by its event (R6). */
export function idOf(placed: Placed): string {
  return placed.id ?? nameOf(placed);
}

function nameOf({ server, seq }: { readonly server: ServerName; readonly seq: number }): string {
  return `${server}/${seq}`;
}

export function isCommitted(placed: Placed, committed: Vector): boolean {
  return placed.seq <= (committed[placed.server] ?? 0);
}
