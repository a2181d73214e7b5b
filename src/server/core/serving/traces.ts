import type { ServerName } from "../../../protocol/ids.ts";
import { durations, limits } from "../../../protocol/limits.ts";
import { parseEventName } from "../../../protocol/parse-steps.ts";
import type { CoordinationAnswer, CoordinationRequest } from "../../../protocol/peer-messages.ts";
import {
  compareByChoice,
  type Remembered,
  type ServerSteps,
  type Trace,
  type TracedEvent,
} from "../../../protocol/steps.ts";
import type { Vector } from "../../../protocol/vector.ts";
import type { ClockSync } from "../coordinator/clock-sync.ts";
import type { Answered, Now } from "../effects.ts";
import { nameOf } from "../replica/placed.ts";
import type { Replica } from "../replica/replica.ts";

/** What a server remembers of its steps. The shell fills the memory, and the core only reads it. */
export interface StepMemory {
  /**
   * Returns what the server remembers of an event.
   * @param of the event's name, or the id of its request. Of several events with one id, the result
   * is about the first that `committed` covers, in the total order, else about the first.
   */
  recall(of: string, committed: Vector): Remembered;
}

type StepsRequest = CoordinationRequest & { readonly service: "steps" };
type StepsAnswer = CoordinationAnswer & { readonly service: "steps" };

interface AskedTrace {
  /** The event's name, or the id of its request. */
  readonly of: string;
  /** The connection that asks. */
  readonly connection: string;
  readonly done: (trace: Trace) => void;
}

interface OpenTrace extends Omit<AskedTrace, "of"> {
  /** The name or id by which the members are asked. */
  of: string;
  own: ServerSteps;
  /** Undefined until this server or a member has named the event. */
  event: TracedEvent | undefined;
  readonly answers: Map<ServerName, StepsAnswer>;
  readonly silent: Set<ServerName>;
  /** The number of members that have not answered yet. */
  open: number;
}

interface TraceParts {
  readonly replica: Replica;
  readonly clockSync: ClockSync;
  /** Undefined if this server remembers no steps. */
  readonly memory: StepMemory | undefined;
}

/**
 * Collects the steps of events from all members of the view (Q14). A member that does not know an id
 * may still remember the event, so once the event is known, members are asked by the event's name.
 */
export class Traces {
  readonly #parts: TraceParts;
  readonly #asked = new Map<CoordinationRequest, OpenTrace>();
  #open = 0;
  /** The number of open traces of each connection that has any. */
  readonly #openOf = new Map<string, number>();

  constructor(parts: TraceParts) {
    this.#parts = parts;
  }

  /** Whether the server, or this connection, has too many open traces for another. */
  isFullFor(connection: string): boolean {
    const own = this.#openOf.get(connection) ?? 0;
    return this.#open >= limits.openTraces || own >= limits.connectionTraces;
  }

  /** What this server tells a peer about an event. */
  remembered(of: string, now: Now): Pick<StepsAnswer, "event" | "steps" | "offsetMs"> {
    const { memory, replica, clockSync } = this.#parts;
    const { event, steps } = memory?.recall(of, replica.replication.committed) ?? { steps: [] };
    const offsetMs = clockSync.rounds === 0 ? undefined : inMicroseconds(clockSync.offsetMs(now));
    return { steps, ...(event && { event }), ...(offsetMs === undefined ? {} : { offsetMs }) };
  }

  /** Calls `done` with the trace: at once if this server is the only member, else in a later step. */
  add({ of, connection, done }: AskedTrace, now: Now): void {
    const { replica } = this.#parts;
    const { event, ...own } = this.remembered(of, now);
    const trace: OpenTrace = {
      connection,
      of: event === undefined ? of : nameOf(event),
      own: toServerSteps(replica.name, own),
      event,
      answers: new Map(),
      silent: new Set(),
      open: 0,
      done,
    };
    this.#count(connection, 1);
    const { members } = replica.replication.view;
    this.#ask(trace, new Set(members.filter((name) => name !== replica.name)));
    this.#advance(trace, now);
  }

  #count(connection: string, more: 1 | -1): void {
    this.#open += more;
    const count = (this.#openOf.get(connection) ?? 0) + more;
    if (count === 0) this.#openOf.delete(connection);
    else this.#openOf.set(connection, count);
  }

  #ask(trace: OpenTrace, members: ReadonlySet<ServerName>): void {
    const { replica } = this.#parts;
    for (const peer of members) {
      const { address } = replica.replication.peer(peer);
      trace.answers.delete(peer);
      if (address === "") {
        trace.silent.add(peer);
        continue;
      }
      const request: StepsRequest = { service: "steps", ...replica.summary(), of: trace.of };
      this.#asked.set(request, trace);
      trace.open += 1;
      const patienceMs = durations.peerRequestMs;
      replica.effects.add({ type: "askPeer", peer, address, request, patienceMs });
    }
  }

  /** Takes the answer to a request `steps`. */
  onAnswer({ from, request, answer }: Answered, now: Now): void {
    const trace = this.#asked.get(request);
    if (trace === undefined) return;
    this.#asked.delete(request);
    trace.open -= 1;
    if (answer?.service === "steps") trace.answers.set(from, answer);
    else trace.silent.add(from);
    this.#advance(trace, now);
  }

  #advance(trace: OpenTrace, now: Now): void {
    if (trace.open > 0) return;
    trace.event ??= this.#chosen(trace);
    const { event } = trace;
    if (event !== undefined && nameOf(event) !== trace.of) {
      trace.of = nameOf(event);
      trace.own = toServerSteps(this.#parts.replica.name, this.remembered(trace.of, now));
      this.#ask(trace, new Set(trace.answers.keys()));
      if (trace.open > 0) return;
    }
    this.#count(trace.connection, -1);
    trace.done(traceOf(trace));
  }

  /** Chooses one of the events that the members named. */
  #chosen({ of, answers }: OpenTrace): TracedEvent | undefined {
    const { committed } = this.#parts.replica.replication;
    const told = [...answers.values()].flatMap(({ event }) => event ?? []);
    const name = parseEventName(of);
    const fitting = told.filter((one) => name === undefined || nameOf(one) === of);
    return fitting.sort(compareByChoice(committed))[0];
  }
}

function traceOf({ own, event, answers, silent }: OpenTrace): Trace {
  const others = [...answers].map(([name, answer]) => toServerSteps(name, answer));
  const isOrigin = ({ name }: ServerSteps) => Number(name === event?.server);
  const servers = [own, ...others].sort(
    (a, b) => isOrigin(b) - isOrigin(a) || (a.name < b.name ? -1 : 1),
  );
  return { event, servers, silent: [...silent].sort() };
}

/** Rounds milliseconds to microseconds, as the times of steps are rounded. */
function inMicroseconds(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}

function toServerSteps(
  name: ServerName,
  { offsetMs, steps }: Pick<StepsAnswer, "offsetMs" | "steps">,
): ServerSteps {
  return { name, offsetMs: offsetMs ?? null, steps };
}
