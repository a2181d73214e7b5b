import { compareOrder } from "./event.ts";
import type { ServerName } from "./ids.ts";
import type { GameName, MatchId } from "./matches.ts";
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
export const serverStepKinds = [
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

/**
 * What only a game server does, with an action in a match. Of the kinds above it has `asked`, `made`,
 * `synced`, `acknowledged`, `heard` and `replied`, which mean the same for a match's events.
 * - forwarded: the player's game server passed the request on to the host `peer`;
 * - taken: the host received the request from the game server `peer`;
 * - proposed: the host proposed the action to the shadow `peer`;
 * - prepared: the shadow judged the proposal of `peer`, and acknowledged it;
 * - agreed: the host received the acknowledgement, and asked the shadow to check once more;
 * - checked: the shadow judged the proposal again, and told the host;
 * - copied: the shadow received the events from the host `peer`;
 * - refused: the shadow refused the proposal of `peer`;
 * - rolledBack: the host gave the proposal up;
 * - dropped: the shadow was told so by `peer`;
 * - told: the host told the player's game server `peer` what became of the request;
 * - learned: the player's game server received this from `peer`.
 *
 * If a check of the shadow `peer` let the host make the events, `made` names the shadow.
 */
const matchStepKinds = [
  "forwarded",
  "taken",
  "proposed",
  "prepared",
  "agreed",
  "checked",
  "copied",
  "refused",
  "rolledBack",
  "dropped",
  "told",
  "learned",
] as const;

export const stepKinds = [...serverStepKinds, ...matchStepKinds] as const;

export type StepKind = (typeof stepKinds)[number];

/** One thing that a server did with an event, or a game server with an action. */
export interface Step {
  readonly kind: StepKind;
  /** Milliseconds since 1970, by the clock of the server's machine; with a fraction. */
  readonly atMs: number;
  /** The server's Lamport clock after the step. */
  readonly clock: number;
  /** The server that sent the message, for `received` and `heard`; see above for a match. */
  readonly peer?: ProcessName | undefined;
  /** The Lamport clock in the received message; for `asked`, that of the client, if it sent one. */
  readonly sentClock?: number | undefined;
  /** The number of the host's proposal. */
  readonly round?: number | undefined;
  /** The operations of the match that the step is about, as the match's log names them. */
  readonly operations?: readonly string[] | undefined;
  /** Why a request or a proposal was refused; undefined if it was not. */
  readonly reason?: string | undefined;
}

/** The name of a process that tells steps. */
export type ProcessName = ServerName | GameName;

/** The steps of one event in one server, in the order in which they happened. */
export interface ServerSteps {
  readonly name: ProcessName;
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

/** What the trace of a game server is about (Q30). */
export interface TracedMatch {
  readonly match: MatchId;
  /** The user and the id of their request, as the match's log names it; undefined for a whole match. */
  readonly operation?: string | undefined;
}

/** What one server remembers of an event; no steps if it remembers nothing. */
export interface Remembered {
  /** Undefined if the server has forgotten how it got the event. */
  readonly event?: TracedEvent | undefined;
  readonly steps: readonly Step[];
}

/** What one game server remembers of an action or a match; no steps if it remembers nothing. */
export interface RememberedMatch {
  readonly match?: TracedMatch | undefined;
  readonly steps: readonly Step[];
}

/** The life of one event, as the servers remember it (Q14), or of an action, as game servers do (Q30). */
export interface Trace {
  /** Undefined if no server that answered remembers the event. */
  readonly event: TracedEvent | undefined;
  /** Undefined if the trace is about no match. */
  readonly match?: TracedMatch | undefined;
  /** The servers that answered: first the origin of the event or request, then the others by name. */
  readonly servers: readonly ServerSteps[];
  /** Members that did not answer in time. */
  readonly silent: readonly ProcessName[];
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
