import type { ServerName } from "../../../protocol/ids.ts";
import { limits } from "../../../protocol/limits.ts";
import { parseEventName } from "../../../protocol/parse-steps.ts";
import {
  compareByChoice,
  type Remembered,
  type Step,
  type StepKind,
  stepKinds,
  type TracedEvent,
} from "../../../protocol/steps.ts";
import type { Vector } from "../../../protocol/vector.ts";
import { nameOf } from "../replica/placed.ts";
import type { StepMemory } from "../serving/traces.ts";

const kindNumbers = Object.fromEntries(stepKinds.map((kind, at) => [kind, at])) as Readonly<
  Record<StepKind, number>
>;

/** The columns of numbers; a missing number is NaN. */
const [atMs, clock, sentClock, from, to, eventClock, columns] = [0, 1, 2, 3, 4, 5, 6] as const;

/**
 * The newest records of a server's steps (O63), in a ring. The columns of the ring are allocated
 * once, because millions of small objects that live for a second would keep the garbage collector
 * busy. The steps of an event are put together when somebody asks for them.
 */
export class RememberedSteps implements StepMemory {
  readonly #name: ServerName;
  readonly #most: number;
  readonly #kinds: Uint8Array;
  readonly #numbers: Float64Array;
  readonly #servers: (ServerName | undefined)[];
  readonly #peers: (ServerName | undefined)[];
  readonly #ids: (string | undefined)[];
  readonly #operations: (string | undefined)[];
  /** The number of records that were ever added. */
  #added = 0;
  #settled = 0;
  /** Where the last record is in the columns. */
  #place = 0;

  /** @param most the number of records to keep */
  constructor(name: ServerName, most: number) {
    this.#name = name;
    this.#most = most;
    this.#kinds = new Uint8Array(most);
    this.#numbers = new Float64Array(most * columns);
    this.#servers = new Array(most).fill(undefined);
    this.#peers = new Array(most).fill(undefined);
    this.#ids = new Array(most).fill(undefined);
    this.#operations = new Array(most).fill(undefined);
  }

  /**
   * Begins a record; the methods below fill it. Each record is filled by several calls, because an
   * object for it would cost more than the rest.
   * @param ticks the server's Lamport clock after the step; NaN until `settle` sets it
   */
  begin(kind: StepKind, stepMs: number, ticks: number): void {
    const place = this.#added % this.#most;
    this.#added += 1;
    this.#place = place;
    const first = place * columns;
    this.#kinds[place] = kindNumbers[kind];
    this.#numbers[first + atMs] = stepMs;
    this.#numbers[first + clock] = ticks;
    for (let at = first + sentClock; at < first + columns; at += 1) this.#numbers[at] = Number.NaN;
    this.#servers[place] = undefined;
    this.#peers[place] = undefined;
    this.#ids[place] = undefined;
    this.#operations[place] = undefined;
  }

  /** Sets the events of the record: those of one server, from the first `seq` to the last. */
  setEvents(server: ServerName, first: number, last: number): void {
    const index = this.#place * columns;
    this.#servers[this.#place] = server;
    this.#numbers[index + from] = first;
    this.#numbers[index + to] = last;
  }

  /** Sets what the event of the record is, from its journal line. */
  setWritten(id: string | undefined, operation: string, ticks: number): void {
    this.#ids[this.#place] = id;
    this.#operations[this.#place] = operation;
    this.setEventClock(ticks);
  }

  setEventClock(ticks: number): void {
    this.#numbers[this.#place * columns + eventClock] = ticks;
  }

  /**
   * Sets the sender of the message that caused the step, undefined for a client, and the clock in
   * the message.
   */
  setSender(peer: ServerName | undefined, ticks: number | undefined): void {
    this.#peers[this.#place] = peer;
    this.#numbers[this.#place * columns + sentClock] = ticks ?? Number.NaN;
  }

  /** Sets the clock of all records that were added without a clock since the last call. */
  settle(value: number): void {
    for (let at = Math.max(this.#settled, this.#oldest); at < this.#added; at += 1) {
      const index = (at % this.#most) * columns + clock;
      if (Number.isNaN(this.#numbers[index])) this.#numbers[index] = value;
    }
    this.#settled = this.#added;
  }

  recall(of: string, committed: Vector): Remembered {
    const name = parseEventName(of);
    const event = this.#find(of, name, committed);
    const sought = event ?? name;
    if (sought === undefined) return { steps: [] };
    const steps = this.#stepsOf({ clock: undefined, ...sought });
    if (event === undefined) return { steps };
    return { event: { ...event, id: event.id ?? nameOf(event) }, steps };
  }

  get #oldest(): number {
    return Math.max(0, this.#added - this.#most);
  }

  /** Returns the event of this name or id; undefined if its record was overwritten. */
  #find(of: string, name: Name | undefined, committed: Vector): Written | undefined {
    const found: Written[] = [];
    for (let at = this.#oldest; at < this.#added; at += 1) {
      const place = at % this.#most;
      const operation = this.#operations[place];
      const isFitting =
        name === undefined
          ? this.#ids[place] === of
          : this.#servers[place] === name.server && this.#number(place, from) === name.seq;
      if (operation === undefined || !isFitting) continue;
      const server = this.#servers[place] as ServerName;
      const seq = this.#number(place, from) as number;
      const ticks = this.#number(place, eventClock) as number;
      found.push({ server, seq, clock: ticks, operation, id: this.#ids[place] });
    }
    return found.sort(compareByChoice(committed))[0];
  }

  #stepsOf(sought: Sought): Step[] {
    const steps: Step[] = [];
    for (let at = this.#oldest; at < this.#added; at += 1) {
      const place = at % this.#most;
      if (!this.#isAbout(place, sought)) continue;
      const step = this.#step(place);
      // A message that goes to several topics has one step.
      if (step.kind !== "published" || steps.at(-1)?.kind !== "published") steps.push(step);
    }
    return steps.slice(0, limits.eventSteps);
  }

  #isAbout(place: number, sought: Sought): boolean {
    if (stepKinds[this.#kinds[place] as number] === "published") {
      return sought.server === this.#name && this.#number(place, eventClock) === sought.clock;
    }
    const [first = 0, last = 0] = [this.#number(place, from), this.#number(place, to)];
    return this.#servers[place] === sought.server && first <= sought.seq && sought.seq <= last;
  }

  #step(place: number): Step {
    const peer = this.#peers[place];
    const sent = this.#number(place, sentClock);
    return {
      kind: stepKinds[this.#kinds[place] as number] as StepKind,
      atMs: this.#number(place, atMs) as number,
      clock: this.#number(place, clock) ?? 0,
      ...(peer && { peer }),
      ...(sent === undefined ? {} : { sentClock: sent }),
    };
  }

  #number(place: number, column: number): number | undefined {
    const value = this.#numbers[place * columns + column] as number;
    return Number.isNaN(value) ? undefined : value;
  }
}

type Name = NonNullable<ReturnType<typeof parseEventName>>;

/** An event as its journal line has it; `id` is undefined if its request had none. */
interface Written extends Omit<TracedEvent, "id"> {
  readonly id: string | undefined;
}

interface Sought extends Name {
  /** Undefined if no record has the event itself. */
  readonly clock: number | undefined;
}
