import type { Incoming, SentReply, Service } from "../../../protocol/client-messages.ts";
import type { EventLine } from "../../../protocol/event.ts";
import { type Fields, fieldsOf } from "../../../protocol/fields.ts";
import type { ServerName } from "../../../protocol/ids.ts";
import type { ReplicaSummary } from "../../../protocol/peer-messages.ts";
import { serversTopic } from "../../../protocol/topics.ts";
import { emptyVector, join, type Vector } from "../../../protocol/vector.ts";
import type { Effect, Input, Now } from "../effects.ts";
import type { ServerCore } from "../step.ts";
import { FineTime } from "./fine-time.ts";
import type { Batch, Range, RememberedSteps, Written } from "./remembered-steps.ts";

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

/** The Lamport clocks of a step's effects: the lowest, and the highest until now. */
interface Ticks {
  first: number;
  last: number | undefined;
}

/** The services that make no event. */
const reads: ReadonlySet<string> = new Set<Service>([
  ...(["users", "channels", "history", "presence"] as const),
  ...(["time", "status", "keys", "trace"] as const),
]);

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
    const before = this.#ofInput(stepped);
    const after: Batch[] = [];
    const ticks: Ticks = { first: stepped.core.clock.value + 1, last: undefined };
    for (const effect of effects) {
      const tick = tickOf(effect, this.#name);
      if (tick !== undefined) {
        ticks.first = Math.min(ticks.first, tick);
        ticks.last = Math.max(ticks.last ?? 0, tick);
      }
      if (effect.type === "append") {
        before.push(...this.#ofAppended(effect.lines, stepped.input));
      } else {
        this.#noteEffect(effect, after, ticks.last);
      }
      yield effect;
    }
    this.#clock = stepped.core.clock.value;
    if (before.length === 0 && after.length === 0) return;
    const batches = [...before, ...after];
    // What the input did came before the first tick of an effect.
    for (const batch of batches) if (batch.kind !== "made") batch.clock ??= ticks.first - 1;
    this.#memory.add({ inputMs, effectMs, batches });
  }

  #ofInput({ core, input }: Stepped): Batch[] {
    const batches: Batch[] = [];
    const { ledger, replication } = core;
    switch (input.type) {
      case "recovered":
        // What the disk had was synced by an earlier process.
        this.#durable = ledger.snapshot();
        break;
      case "requests":
        batches.push(...asked(input.requests));
        break;
      case "flushed": {
        const synced = rises(this.#durable, ledger.durable);
        this.#sent = this.#durable[this.#name] ?? 0;
        this.#durable = ledger.snapshot();
        batches.push({ kind: "synced", ranges: synced });
        break;
      }
      default:
        batches.push(...this.#heardIn(summaryOf(input), replication));
    }
    const committed = rises(this.#committed, replication.committed);
    if (committed.length > 0) {
      this.#committed = { ...replication.committed };
      batches.push({ kind: "committed", ranges: committed });
    }
    return batches;
  }

  #heardIn(
    summary: ReplicaSummary | undefined,
    { peers }: Stepped["core"]["replication"],
  ): readonly Batch[] {
    const durable = summary && peers.get(summary.server)?.durable;
    if (summary === undefined || durable === undefined) return [];
    const { server: peer, clock: sentClock } = summary;
    const known = this.#heard.get(peer);
    if (durable === known) return [];
    this.#heard.set(peer, durable);
    // A peer does not acknowledge its own events, because it sends only events that are on its disk.
    const ranges = rises(known ?? emptyVector, durable, peer);
    return ranges.length === 0 ? [] : [{ kind: "heard", peer, sentClock, ranges }];
  }

  #ofAppended(lines: readonly EventLine[], input: Input): readonly Batch[] {
    const made: Written[] = [];
    const received: Written[] = [];
    for (const { event } of lines) {
      const { server, seq, clock, operation, data } = event;
      const id = typeof data.id === "string" ? data.id : undefined;
      // An own event that this disk had lost comes back with a clock of the past.
      const isNew = server === this.#name && clock > this.#clock && input.type !== "recovered";
      (isNew ? made : received).push({ server, seq, clock, operation, id });
    }
    const { server: peer, clock: sentClock } = summaryOf(input) ?? {};
    return [
      ...(received.length > 0
        ? [{ kind: "received", peer, sentClock, events: received } as const]
        : []),
      ...(made.length > 0 ? [{ kind: "made", events: made } as const] : []),
    ];
  }

  #noteEffect(effect: Effect, batches: Batch[], clock: number | undefined): void {
    switch (effect.type) {
      case "broadcast": {
        const { message } = effect;
        if (message.type === "events") {
          const from = this.#sent + 1;
          this.#sent += message.lines.length;
          const ranges = [{ server: this.#name, from, to: this.#sent }];
          batches.push({ kind: "sent", clock, ranges });
        }
        this.#noteTold(message, undefined, batches);
        break;
      }
      case "ack":
        this.#noteTold(effect.summary, effect.peer, batches);
        break;
      case "askSync":
      case "askPeer":
        this.#noteTold(effect.request, effect.peer, batches);
        break;
      case "answerSync":
        this.#noteTold(effect.summary, effect.from, batches);
        break;
      case "reply": {
        const ranges = effect.replies.flatMap(receipts);
        if (ranges.length > 0) batches.push({ kind: "replied", clock, ranges });
        break;
      }
      case "publish":
        if (effect.topic !== serversTopic) notePublished(effect.payload, batches, clock);
        break;
    }
  }

  /** Notes that the peer, or all peers, are told which events are on this disk. */
  #noteTold(
    { durable, clock }: ReplicaSummary,
    peer: ServerName | undefined,
    batches: Batch[],
  ): void {
    const before = peer && this.#told.get(peer);
    const known = before === undefined ? this.#toldAll : join(before, this.#toldAll);
    if (peer === undefined) this.#toldAll = durable;
    else this.#told.set(peer, durable);
    const ranges = rises(known, durable, this.#name);
    if (ranges.length > 0) batches.push({ kind: "acknowledged", clock, ranges });
  }
}

function asked(requests: readonly Incoming[]): readonly Batch[] {
  const asks = requests.flatMap((request) => {
    return "refused" in request || reads.has(request.service)
      ? []
      : { id: request.id, clock: request.clock };
  });
  return asks.length === 0 ? [] : [{ kind: "asked", asks }];
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

/** Returns the events that `now` has and `before` lacks, without those of the server `except`. */
function rises(before: Vector, now: Vector, except?: ServerName): Range[] {
  const found: Range[] = [];
  for (const name in now) {
    const server = name as ServerName;
    const to = now[server] ?? 0;
    const from = (before[server] ?? 0) + 1;
    if (to >= from && server !== except) found.push({ server, from, to });
  }
  return found;
}

/** Returns the event of a write's receipt, or that of a won claim. */
function receipts({ data }: SentReply): Range[] {
  const named = data.entry ?? data.account;
  if (named === undefined) return [];
  const { server, seq } = fieldsOf(named);
  return [{ server: server as ServerName, from: seq as number, to: seq as number }];
}

/** Notes publications of either form; a message that goes to several topics is noted once. */
function notePublished(payload: unknown, batches: Batch[], clock: number | undefined): void {
  const publications = (Array.isArray(payload) ? payload : [payload]) as readonly Fields[];
  const clocks = publications.map((one) => one.clock as number);
  const last = batches.at(-1);
  if (last?.kind === "published" && "clocks" in last) last.clocks.push(...clocks);
  else batches.push({ kind: "published", clock, clocks });
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
