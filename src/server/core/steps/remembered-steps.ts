import type { ServerName } from "../../../protocol/ids.ts";
import { limits } from "../../../protocol/limits.ts";
import { parseEventName } from "../../../protocol/parse-steps.ts";
import {
  compareByChoice,
  type Remembered,
  type Step,
  type StepKind,
  type TracedEvent,
} from "../../../protocol/steps.ts";
import type { Vector } from "../../../protocol/vector.ts";
import { Tail } from "../chat/window.ts";
import type { StepMemory } from "../serving/traces.ts";

/** Events of one server, from the first `seq` to the last. */
export interface Range {
  readonly server: ServerName;
  readonly from: number;
  readonly to: number;
}

/** A client's request that may make an event: its id and its Lamport clock, if it has them. */
export interface Ask {
  readonly id: string | undefined;
  readonly clock: number | undefined;
}

/** An event in the journal; `id` is undefined if its request had none. */
export interface Written extends Omit<TracedEvent, "id"> {
  readonly id: string | undefined;
}

/** The events of a batch: each kind of step names them in the cheapest way. */
type Named =
  | { readonly asks: readonly Ask[] }
  | { readonly events: readonly Written[] }
  | { readonly ranges: readonly Range[] }
  /** The clocks of this server's own events; each event has its own clock. */
  | { readonly clocks: number[] };

/** One kind of step with a batch of events. */
export type Batch = Named & {
  readonly kind: StepKind;
  /** The server's Lamport clock after the step; undefined for `made`, where each event has it. */
  clock?: number | undefined;
  readonly peer?: ServerName | undefined;
  readonly sentClock?: number | undefined;
};

/** The record of one input of the core and its effects. */
export interface StepRecord {
  /** The times of the input, and of its effects, in milliseconds since 1970, with a fraction. */
  readonly inputMs: number;
  readonly effectMs: number;
  readonly batches: readonly Batch[];
}

const ofEffects: ReadonlySet<StepKind> = new Set(["sent", "acknowledged", "replied", "published"]);

/** The newest records of a server's steps (O63). An event's steps are put together when asked for. */
export class RememberedSteps implements StepMemory {
  readonly #records = new Tail<StepRecord>();
  readonly #name: ServerName;
  readonly #most: number;
  /** The number of events and requests that the records name one by one. */
  #named = 0;

  /** @param most the number of records to keep */
  constructor(name: ServerName, most: number) {
    this.#name = name;
    this.#most = most;
  }

  add(record: StepRecord): void {
    this.#records.push(record);
    this.#named += namedIn(record);
    while (this.#records.length > this.#most || this.#named > limits.rememberedEvents) {
      const oldest = this.#records.shift();
      if (oldest === undefined) return;
      this.#named -= namedIn(oldest);
    }
  }

  recall(of: string, committed: Vector): Remembered {
    const name = parseEventName(of);
    const found = this.#find(of, name, committed);
    const sought = found ?? name;
    if (sought === undefined) return { steps: [] };
    const steps = this.#stepsOf({ clock: undefined, id: undefined, ...sought });
    if (found === undefined) return { steps };
    return { event: { ...found, id: found.id ?? `${found.server}/${found.seq}` }, steps };
  }

  #find(of: string, name: ReturnType<typeof parseEventName>, committed: Vector) {
    const found: Written[] = [];
    for (const { batches } of this.#records.slice()) {
      for (const batch of batches) {
        if (!("events" in batch)) continue;
        const fits = ({ server, seq, id }: Written) =>
          name === undefined ? id === of : seq === name.seq && server === name.server;
        found.push(...batch.events.filter(fits));
      }
    }
    return found.sort(compareByChoice(committed))[0];
  }

  #stepsOf(sought: Sought): Step[] {
    const steps: Step[] = [];
    let asked: Step | undefined;
    for (const { inputMs, effectMs, batches } of this.#records.slice()) {
      // A request without an id makes its event at once or not at all.
      if (sought.id === undefined) asked = undefined;
      for (const batch of batches) {
        const clock = clockIn(batch, sought, this.#name);
        if (clock === undefined) continue;
        const { kind, peer } = batch;
        const sentClock = "asks" in batch ? askOf(batch.asks, sought)?.clock : batch.sentClock;
        const step: Step = {
          kind,
          atMs: ofEffects.has(kind) ? effectMs : inputMs,
          clock,
          ...(peer && { peer }),
          ...(sentClock === undefined ? {} : { sentClock }),
        };
        if (kind === "asked") asked = step;
        else if (kind === "made" && asked !== undefined) steps.push(asked, step);
        else steps.push(step);
      }
    }
    return steps.slice(0, limits.eventSteps);
  }
}

interface Sought {
  readonly server: ServerName;
  readonly seq: number;
  /** Undefined if no record has the event itself. */
  readonly clock: number | undefined;
  readonly id: string | undefined;
}

/** Returns the server's clock after the batch's step; undefined if the batch lacks the event. */
function clockIn(batch: Batch, sought: Sought, own: ServerName): number | undefined {
  const { server, seq, clock } = sought;
  const isOwn = server === own;
  if ("asks" in batch) {
    return isOwn && askOf(batch.asks, sought) !== undefined ? batch.clock : undefined;
  }
  if ("clocks" in batch) {
    return isOwn && clock !== undefined && batch.clocks.includes(clock) ? batch.clock : undefined;
  }
  if ("events" in batch) {
    const event = batch.events.find((one) => one.seq === seq && one.server === server);
    return event && (batch.clock ?? event.clock);
  }
  const isIn = batch.ranges.some(
    (one) => one.server === server && one.from <= seq && seq <= one.to,
  );
  return isIn ? batch.clock : undefined;
}

/** Returns the request that made the event. Without an id, only a single request is surely it. */
function askOf(asks: readonly Ask[], { id }: Sought): Ask | undefined {
  if (id !== undefined) return asks.find((ask) => ask.id === id);
  const without = asks.filter((ask) => ask.id === undefined);
  return without.length > 1 ? { id, clock: undefined } : without[0];
}

function namedIn({ batches }: StepRecord): number {
  let count = 0;
  for (const batch of batches) {
    if ("asks" in batch) count += batch.asks.length;
    else if ("events" in batch) count += batch.events.length;
    else if ("clocks" in batch) count += batch.clocks.length;
    else count += batch.ranges.length;
  }
  return count;
}
