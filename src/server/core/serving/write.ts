import type { ParsedRequest } from "../../../protocol/client-messages.ts";
import type { ProtocolError } from "../../../protocol/errors.ts";
import type { Event } from "../../../protocol/event.ts";
import type { RequestId } from "../../../protocol/ids.ts";
import type { Written } from "../../../protocol/replies.ts";
import type { Placed } from "../replica/placed.ts";
import {
  type Circumstances,
  type Decision,
  receiptOf,
  refuse,
  type Services,
  waits,
} from "./decision.ts";

/** The steps of a service whose request makes one event. */
export interface Write<R extends ParsedRequest> {
  /**
   * Returns the earliest event that a copy of the request with this id has made; undefined if no copy
   * has made an event.
   */
  existing(services: Services, request: R, id: RequestId): Placed | undefined;
  /** Returns the error if this server would refuse the write, otherwise undefined. */
  obstacle(services: Services, request: R): ProtocolError | undefined;
  /**
   * Whether the write succeeds only if something, such as a channel to create, does not exist yet.
   */
  readonly needsAbsence?: true;
  make(services: Services, request: R, timeMs: number): Event;
  /** Called with each new event. */
  made?(services: Services, request: R, event: Placed): void;
}

interface WriteParts<R extends ParsedRequest> extends Pick<Circumstances, "now" | "waited"> {
  readonly write: Write<R>;
}

/**
 * Answers a write with the event that an equal request with the same id has made, or makes a new
 * event (R6). A write waits for the events that its client has seen if it would fail without them,
 * or if it succeeds only because something does not exist. Any other write succeeds without a wait:
 * no later event makes a user unknown, and a message to a channel that turns out to be removed is
 * kept but hidden (A10).
 */
export function decideWrite<R extends ParsedRequest>(
  services: Services,
  request: R,
  { write, now, waited }: WriteParts<R>,
): Decision<Written> {
  const { id } = request;
  const old = id === undefined ? undefined : write.existing(services, request, id);
  if (old !== undefined) return commit(services, old);
  const problem = write.obstacle(services, request);
  const depends = problem !== undefined || write.needsAbsence === true;
  const wait = depends ? waits(services, request, { waited }) : undefined;
  if (wait !== undefined) return wait;
  if (problem !== undefined) return refuse(problem);
  const event = write.make(services, request, services.correctedMs(now));
  const placed: Placed = { ...event, time: event.timestamp, id };
  write.made?.(services, request, placed);
  return commit(services, placed);
}

/** Returns the decision to answer with a receipt once the event is committed. */
export function commit({ replication }: Services, event: Placed): Decision<Written> {
  return { next: "commit", event, answer: () => ({ entry: receiptOf(event, replication) }) };
}
