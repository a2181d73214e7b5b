import { compareOrder } from "./event.ts";
import type { ServerName } from "./ids.ts";
import type { Vector } from "./vector.ts";

/**
 * What a server can do with an event, in the usual order.
 * - asked: the origin received the client's request;
 * - made: the origin made the event;
 * - received: another server received the event from `peer`;
 * - synced: the event is on this server's disk;
 * - sent: the origin sent the event to its peers;
 * - acknowledged: another server told all its peers, or one of them, that it has the event on disk;
 * - heard: a server received such an acknowledgement from `peer`;
 * - committed: this server knows that a quorum has the event on disk;
 * - replied: the server to which the client sent the request, or repeated it, sent the receipt;
 * - published: the origin sent the message to its subscribers.
 */
export const stepKinds = [
  "asked",
  "made",
  "received",
  "synced",
  "sent",
  "acknowledged",
  "heard",
  "committed",
  "replied",
  "published",
] as const;

export type StepKind = (typeof stepKinds)[number];

/** One thing that a server did with an event. */
export interface Step {
  readonly kind: StepKind;
  /** Milliseconds since 1970, by the clock of the server's machine; with a fraction. */
  readonly atMs: number;
  /** The server's Lamport clock after the step. */
  readonly clock: number;
  /** For `received` and `heard`, the server that sent the message. */
  readonly peer?: ServerName | undefined;
  /** The Lamport clock in the received message; for `asked`, that of the client, if it sent one. */
  readonly sentClock?: number | undefined;
}

/** The steps of one event in one server, in the order in which they happened. */
export interface ServerSteps {
  readonly name: ServerName;
  /** Milliseconds to add to `atMs` to get the cluster's time; null before the first correction. */
  readonly offsetMs: number | null;
  readonly steps: readonly Step[];
}

/** The event whose steps a trace has. */
export interface TracedEvent {
  readonly server: ServerName;
  readonly seq: number;
  readonly clock: number;
  /** The id of the request, or the event's name if the request had no id (R6). */
  readonly id: string;
  /** What the event changes, such as `publication`. */
  readonly operation: string;
}

/** What one server remembers of an event; no steps if it remembers nothing. */
export interface Remembered {
  /** Undefined if the server has forgotten how it got the event. */
  readonly event?: TracedEvent | undefined;
  readonly steps: readonly Step[];
}

/** The life of one event, as the servers remember it (Q14). */
export interface Trace {
  /** Undefined if no server that answered remembers the event. */
  readonly event: TracedEvent | undefined;
  /** The servers that answered: first the event's origin, then the others by name. */
  readonly servers: readonly ServerSteps[];
  /** Members that did not answer in time. */
  readonly silent: readonly ServerName[];
}

type Place = Pick<TracedEvent, "server" | "seq" | "clock">;

/**
 * Returns a comparison that puts first, of events with one request id, the event that a trace is
 * about: committed events before others, then by the total order, as receipts choose (R6).
 */
export function compareByChoice(committed: Vector): (a: Place, b: Place) => number {
  const lacks = ({ server, seq }: Place) => Number((committed[server] ?? 0) < seq);
  return (a, b) => lacks(a) - lacks(b) || compareOrder(a, b);
}
