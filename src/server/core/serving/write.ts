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

/** A service whose request makes one event. */
export interface Write<R extends ParsedRequest> {
  /** The event of an earlier copy of the request, with this id; the earliest of several. */
  existing(services: Services, request: R, id: RequestId): Placed | undefined;
  /** Why this server would refuse the write, if so. */
  obstacle(services: Services, request: R): ProtocolError | undefined;
  /** Whether it succeeds only because something is missing. */
  readonly needsAbsence?: true;
  make(services: Services, request: R, timeMs: number): Event;
  /** Told of a new event. */
  made?(services: Services, request: R, event: Placed): void;
}

interface WriteParts<R extends ParsedRequest> extends Pick<Circumstances, "now" | "waited"> {
  readonly write: Write<R>;
}

/**
 * A write answers with the event that already has its id, or makes one (R6). Users never go away,
 * and a channel that is taken away only hides its messages (A10). So a write that finds what it
 * names need not wait for what the client has seen. A write that would fail, or would succeed only
 * because something is missing, waits.
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

/** The answer leaves once the event is committed. */
export function commit({ replication }: Services, event: Placed): Decision<Written> {
  return { next: "commit", event, answer: () => ({ entry: receiptOf(event, replication) }) };
}
