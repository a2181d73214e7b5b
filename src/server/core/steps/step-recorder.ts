import type { SentReply } from "../../../protocol/client-messages.ts";
import type { EventLine } from "../../../protocol/event.ts";
import { FineTime } from "../../../protocol/fine-time.ts";
import type { ServerName } from "../../../protocol/ids.ts";
import type { ReplicaSummary } from "../../../protocol/peer-messages.ts";
import { serversTopic } from "../../../protocol/topics.ts";
import { emptyVector, join, type Vector } from "../../../protocol/vector.ts";
import type { Effect, Input, Now } from "../effects.ts";
import type { ServerCore } from "../step.ts";
import { type Asked, AskedRequests, idOf } from "./asked-requests.ts";
import type { RememberedSteps } from "./remembered-steps.ts";

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

/** A clock that is known only at the end of the step. */
const unsettled = Number.NaN;

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
  readonly #asked = new AskedRequests();
  /**
   * The events that the present core loaded from the disk. An earlier process did their steps, so
   * what this process hears of them again gets no record.
   */
  #loaded: Vector = emptyVector;
  #durable: Vector = emptyVector;
  #committed: Vector = emptyVector;
  /** The version of the core's `Replication` after the last step. */
  #version = -1;
  /** The `seq` of this server's last event that was sent. */
  #sent = 0;
  /** The core's clock after the last step. */
  #clock = 0;
  /** The clock of the last effect in this step that raised the clock. */
  #ticked = unsettled;
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
    this.#ticked = unsettled;
    let isAnswered = false;
    for (const effect of effects) {
      const tick = tickOf(effect, this.#name);
      first = Math.min(first, tick ?? first);
      this.#ticked =
        (effect.type === "reply" ? effect.replies.at(-1)?.data.clock : tick) ?? this.#ticked;
      if (effect.type === "append") this.#noteAppended(effect.lines, stepped.input, inputMs);
      else this.#noteEffect(effect, effectMs);
      isAnswered ||= isReplyTo(stepped.input, effect);
      yield effect;
    }
    this.#clock = stepped.core.clock.value;
    // The steps of the input itself came before the first effect that raised the clock.
    this.#memory.settle(first - 1);
    this.#asked.end(first - 1, isAnswered);
  }

  #noteInput({ core, input }: Stepped, atMs: number): void {
    const { ledger, replication } = core;
    this.#forget(replication.peers);
    switch (input.type) {
      case "recovered":
        // What the disk had was synced by an earlier process. A new core counts versions from 0 again.
        this.#loaded = ledger.snapshot();
        this.#durable = this.#loaded;
        this.#version = -1;
        break;
      case "requests":
        this.#asked.begin(input.requests, atMs);
        break;
      case "flushed": {
        const before = this.#durable;
        this.#sent = before[this.#name] ?? 0;
        this.#durable = ledger.snapshot();
        this.#noteRise(before, this.#durable, () => this.#memory.begin("synced", atMs, unsettled));
        break;
      }
      default:
        this.#noteHeard(summaryOf(input), replication, atMs);
    }
    if (replication.version === this.#version) return;
    this.#version = replication.version;
    const before = this.#committed;
    this.#committed = { ...replication.committed };
    this.#noteRise(before, this.#committed, () => {
      this.#memory.begin("committed", atMs, unsettled);
    });
  }

  /** Drops what was heard from and told to servers that the core has forgotten. */
  #forget(peers: Stepped["core"]["replication"]["peers"]): void {
    for (const vectors of [this.#heard, this.#told]) {
      if (vectors.size <= peers.size) continue;
      for (const name of vectors.keys()) if (!peers.has(name)) vectors.delete(name);
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
    this.#noteRise(known, durable, (server) => {
      // A peer does not acknowledge its own events: it sends only events that are on its disk.
      if (server === peer) return false;
      this.#memory.begin("heard", atMs, unsettled);
      this.#memory.setSender(peer, sentClock);
      return true;
    });
  }

  #noteAppended(lines: readonly EventLine[], input: Input, atMs: number): void {
    const { server: peer, clock: sentClock } = summaryOf(input) ?? {};
    // An own event that this disk had lost comes back with a clock of the past.
    const isMade = ({ event: { server, clock } }: EventLine) =>
      server === this.#name && clock > this.#clock && input.type !== "recovered";
    const asked = this.#asked.take(lines.filter(isMade).map(({ event }) => event)).values();
    for (const line of lines) {
      const { event } = line;
      if (isMade(line)) {
        this.#noteAsked(asked.next().value, event);
        this.#memory.begin("made", atMs, event.clock);
      } else {
        this.#memory.begin("received", atMs, unsettled);
        this.#memory.setSender(peer, sentClock);
      }
      this.#memory.setEvents(event.server, event.seq, event.seq);
      this.#memory.setWritten(idOf(event), event.operation, event.clock);
    }
  }

  #noteAsked(asked: Asked | undefined, { server, seq }: EventLine["event"]): void {
    if (asked === undefined) return;
    this.#memory.begin("asked", asked.atMs, asked.clock);
    this.#memory.setEvents(server, seq, seq);
    this.#memory.setSender(undefined, asked.sentClock);
  }

  #noteEffect(effect: Effect, atMs: number): void {
    switch (effect.type) {
      case "broadcast": {
        const { message } = effect;
        if (message.type === "events") {
          const first = this.#sent + 1;
          this.#sent += message.lines.length;
          this.#memory.begin("sent", atMs, message.clock);
          this.#memory.setEvents(this.#name, first, this.#sent);
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

  /** Notes that a message tells the peer, or all peers, which events are on this disk. */
  #noteTold({ durable, clock }: ReplicaSummary, peer: ServerName | undefined, atMs: number): void {
    const before = peer && this.#told.get(peer);
    const known = before === undefined ? this.#toldAll : join(before, this.#toldAll);
    if (peer === undefined) this.#toldAll = durable;
    else this.#told.set(peer, durable);
    this.#noteRise(known, durable, (server) => {
      if (server === this.#name) return false;
      this.#memory.begin("acknowledged", atMs, clock);
      return true;
    });
  }

  /** Notes the event of each receipt. */
  #noteReplied(replies: readonly SentReply[], atMs: number): void {
    for (const { data } of replies) {
      if (data.entry === undefined) continue;
      const { server, seq } = data.entry as { readonly server: ServerName; readonly seq: number };
      this.#memory.begin("replied", atMs, data.clock);
      this.#memory.setEvents(server, seq, seq);
    }
  }

  /** Notes publications of either form; each has the clock of its event. */
  #notePublished(payload: unknown, atMs: number): void {
    for (const one of Array.isArray(payload) ? payload : [payload]) {
      this.#memory.begin("published", atMs, this.#ticked);
      this.#memory.setEventClock((one as { readonly clock: number }).clock);
    }
  }

  /**
   * Notes the events that `now` has, and that `before` and the disk at the start lack.
   * @param begin begins the record of a server's events; returns false if they get no record
   */
  #noteRise(before: Vector, now: Vector, begin: (server: ServerName) => unknown): void {
    for (const name in now) {
      const server = name as ServerName;
      const last = now[server] ?? 0;
      const first = Math.max(before[server] ?? 0, this.#loaded[server] ?? 0) + 1;
      if (last >= first && begin(server) !== false) this.#memory.setEvents(server, first, last);
    }
  }
}

/** Whether the effect answers the requests of the input. */
function isReplyTo(input: Input, effect: Effect): boolean {
  return input.type === "requests" && effect.type === "reply" && effect.to === input.to;
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
