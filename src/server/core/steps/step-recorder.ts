import type { Incoming, SentReply, Service } from "../../../protocol/client-messages.ts";
import type { EventLine } from "../../../protocol/event.ts";
import type { ServerName } from "../../../protocol/ids.ts";
import type { ReplicaSummary } from "../../../protocol/peer-messages.ts";
import type { StepKind } from "../../../protocol/steps.ts";
import { serversTopic } from "../../../protocol/topics.ts";
import { emptyVector, join, type Vector } from "../../../protocol/vector.ts";
import type { Effect, Input, Now } from "../effects.ts";
import type { ServerCore } from "../step.ts";
import { FineTime } from "./fine-time.ts";
import type { RememberedSteps, StepRecord } from "./remembered-steps.ts";

/** One input of a core, at its time, after the core has made its effects from the input. */
interface Stepped {
  readonly core: Pick<ServerCore, "clock" | "ledger" | "replication">;
  readonly input: Input;
  readonly now: Now;
}

interface RecorderParts {
  readonly name: ServerName;
  readonly memory: RememberedSteps;
  readonly now: () => Now;
  /** The machine's time at steady time 0, in milliseconds since 1970; best with a fraction. */
  readonly originMs: number;
}

/** The services that make no event. */
const reads: ReadonlySet<string> = new Set<Service>([
  ...(["users", "channels", "history", "presence"] as const),
  ...(["time", "status", "keys", "trace"] as const),
]);

/** The kinds of steps in which a server tells what is on its disk; its own events are understood. */
const isTold: ReadonlySet<StepKind> = new Set<StepKind>(["heard", "acknowledged"]);

/**
 * Sees the inputs and effects of a core, and records what they did with events (O63). It notices
 * what a step has changed in the core by comparing vectors, so it never looks at single events that
 * only pass through.
 */
export class StepRecorder {
  readonly #name: ServerName;
  readonly #memory: RememberedSteps;
  readonly #now: () => Now;
  readonly #time: FineTime;
  #durable: Vector = emptyVector;
  #committed: Vector = emptyVector;
  /** The version of the core's `Replication` after the last step. */
  #version = -1;
  /** The `seq` of this server's last event that was sent. */
  #sent = 0;
  /** The core's clock after the last step. */
  #clock = 0;
  /** The durable vector that each peer last told. */
  readonly #heard = new Map<ServerName, Vector>();
  /** The durable vector that this server last told all peers, and those that it told only one. */
  #toldAll: Vector = emptyVector;
  readonly #told = new Map<ServerName, Vector>();

  constructor({ name, memory, now, originMs }: RecorderParts) {
    this.#name = name;
    this.#memory = memory;
    this.#now = now;
    this.#time = new FineTime(originMs);
  }

  /** Passes on the effects of a step, and then records what the step did. */
  *watch(stepped: Stepped, effects: Iterable<Effect>): Generator<Effect> {
    const inputMs = this.#time.at(stepped.now);
    const effectMs = this.#time.at(this.#now());
    this.#noteInput(stepped, inputMs);
    let first = stepped.core.clock.value + 1;
    for (const effect of effects) {
      first = Math.min(first, tickOf(effect, this.#name) ?? first);
      if (effect.type === "append") this.#noteAppended(effect.lines, stepped.input, inputMs);
      else this.#noteEffect(effect, effectMs);
      yield effect;
    }
    this.#clock = stepped.core.clock.value;
    // What the input did came before the first tick of an effect.
    this.#memory.settle(first - 1);
  }

  #noteInput({ core, input }: Stepped, atMs: number): void {
    const { ledger, replication } = core;
    switch (input.type) {
      case "recovered":
        // What the disk had was synced by an earlier process. A new core counts versions from 0 again.
        this.#durable = ledger.snapshot();
        this.#version = -1;
        break;
      case "requests":
        this.#noteAsked(input.requests, atMs);
        break;
      case "flushed": {
        const before = this.#durable;
        this.#sent = before[this.#name] ?? 0;
        this.#durable = ledger.snapshot();
        this.#noteRise({ kind: "synced", atMs, clock: undefined }, before, this.#durable);
        break;
      }
      default:
        this.#noteHeard(summaryOf(input), replication, atMs);
    }
    if (replication.version === this.#version) return;
    this.#version = replication.version;
    const committed = { ...replication.committed };
    this.#noteRise({ kind: "committed", atMs, clock: undefined }, this.#committed, committed);
    this.#committed = committed;
  }

  #noteAsked(requests: readonly Incoming[], atMs: number): void {
    for (const request of requests) {
      if ("refused" in request || reads.has(request.service)) continue;
      const { id, clock: sentClock } = request;
      this.#memory.add({ kind: "asked", atMs, clock: undefined, id, sentClock });
    }
  }

  #noteHeard(
    summary: ReplicaSummary | undefined,
    { peers }: Stepped["core"]["replication"],
    atMs: number,
  ): void {
    const durable = summary && peers.get(summary.server)?.durable;
    if (summary === undefined || durable === undefined) return;
    const { server: peer, clock: sentClock } = summary;
    const known = this.#heard.get(peer) ?? emptyVector;
    if (durable === known) return;
    this.#heard.set(peer, durable);
    // A peer does not acknowledge its own events, because it sends only events that are on its disk.
    const step = { kind: "heard", atMs, clock: undefined, peer, sentClock } as const;
    this.#noteRise(step, known, durable);
  }

  #noteAppended(lines: readonly EventLine[], input: Input, atMs: number): void {
    const { server: peer, clock: sentClock } = summaryOf(input) ?? {};
    for (const { event } of lines) {
      const { server, seq, clock: eventClock, operation } = event;
      const id = typeof event.data.id === "string" ? event.data.id : undefined;
      const what = { server, from: seq, to: seq, id, eventClock, operation };
      // An own event that this disk had lost comes back with a clock of the past.
      const isMade =
        server === this.#name && eventClock > this.#clock && input.type !== "recovered";
      if (isMade) this.#memory.add({ kind: "made", atMs, clock: eventClock, ...what });
      else this.#memory.add({ kind: "received", atMs, clock: undefined, peer, sentClock, ...what });
    }
  }

  #noteEffect(effect: Effect, atMs: number): void {
    switch (effect.type) {
      case "broadcast": {
        const { message } = effect;
        if (message.type === "events") {
          const from = this.#sent + 1;
          this.#sent += message.lines.length;
          const what = { server: this.#name, from, to: this.#sent };
          this.#memory.add({ kind: "sent", atMs, clock: message.clock, ...what });
        }
        this.#noteTold(message, undefined, atMs);
        break;
      }
      case "ack":
        this.#noteTold(effect.summary, effect.peer, atMs);
        break;
      case "askSync":
      case "askPeer":
        this.#noteTold(effect.request, effect.peer, atMs);
        break;
      case "answerSync":
        this.#noteTold(effect.summary, effect.from, atMs);
        break;
      case "reply":
        this.#noteReplied(effect.replies, atMs);
        break;
      case "publish":
        if (effect.topic !== serversTopic) this.#notePublished(effect.payload, atMs);
        break;
    }
  }

  /** Notes that the peer, or all peers, are told which events are on this disk. */
  #noteTold({ durable, clock }: ReplicaSummary, peer: ServerName | undefined, atMs: number): void {
    const before = peer && this.#told.get(peer);
    const known = before === undefined ? this.#toldAll : join(before, this.#toldAll);
    if (peer === undefined) this.#toldAll = durable;
    else this.#told.set(peer, durable);
    this.#noteRise({ kind: "acknowledged", atMs, clock }, known, durable);
  }

  /** Notes the event of each write's receipt, and that of each won claim. */
  #noteReplied(replies: readonly SentReply[], atMs: number): void {
    for (const { data } of replies) {
      const named = data.entry ?? data.account;
      if (named === undefined) continue;
      const { server, seq } = named as { readonly server: ServerName; readonly seq: number };
      this.#memory.add({ kind: "replied", atMs, clock: data.clock, server, from: seq, to: seq });
    }
  }

  /** Notes publications of either form; each has the clock of its event. */
  #notePublished(payload: unknown, atMs: number): void {
    for (const one of Array.isArray(payload) ? payload : [payload]) {
      const eventClock = (one as { readonly clock: number }).clock;
      this.#memory.add({ kind: "published", atMs, clock: undefined, eventClock });
    }
  }

  /** Notes a step with the events that `now` has and `before` lacks. */
  #noteRise(step: StepRecord, before: Vector, now: Vector): void {
    const except = isTold.has(step.kind) ? (step.peer ?? this.#name) : undefined;
    for (const name in now) {
      const server = name as ServerName;
      const to = now[server] ?? 0;
      const from = (before[server] ?? 0) + 1;
      if (to >= from && server !== except) this.#memory.add({ ...step, server, from, to });
    }
  }
}

/** Returns what a peer's message says about its sender; undefined for all other inputs. */
function summaryOf(input: Input): ReplicaSummary | undefined {
  switch (input.type) {
    case "replication":
      return input.message;
    case "ack":
      return input.summary;
    case "syncRequest":
    case "coordinationRequest":
      return input.request;
    case "syncAnswer":
    case "coordinationAnswer":
      return input.answer;
    default:
      return undefined;
  }
}

/** Returns the Lamport clock to which an effect has raised this server's clock, if it has. */
function tickOf(effect: Effect, own: ServerName): number | undefined {
  switch (effect.type) {
    case "append": {
      const event = effect.lines[0]?.event;
      return event?.server === own ? event.clock : undefined;
    }
    case "broadcast":
      return effect.message.clock;
    case "ack":
    case "answerSync":
      return effect.summary.clock;
    case "reply":
      return effect.replies[0]?.data.clock;
    case "askSync":
    case "askPeer":
      return effect.request.clock;
    case "answerPeer":
      return effect.answer.clock;
    case "heartbeat":
    case "leave":
      return effect.clock;
    default:
      return undefined;
  }
}
