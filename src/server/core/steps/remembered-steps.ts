import type { ServerName } from "../../../protocol/ids.ts";
import { limits } from "../../../protocol/limits.ts";
import { parseEventName } from "../../../protocol/parse-steps.ts";
import { StepRing } from "../../../protocol/step-ring.ts";
import {
  compareByChoice,
  type Remembered,
  type Step,
  type StepKind,
  type TracedEvent,
} from "../../../protocol/steps.ts";
import type { Vector } from "../../../protocol/vector.ts";
import { nameOf } from "../replica/placed.ts";
import type { StepMemory } from "../serving/traces.ts";

/** The columns of numbers; a missing number is NaN. */
const [from, to, eventClock, columns] = [0, 1, 2, 3] as const;

/**
 * The newest records of a server's steps (O63). The steps of an event are put together when somebody
 * asks for them.
 */
export class RememberedSteps implements StepMemory {
  readonly #name: ServerName;
  readonly #ring: StepRing;
  readonly #numbers: Float64Array;
  readonly #servers: (ServerName | undefined)[];
  readonly #ids: (string | undefined)[];
  readonly #operations: (string | undefined)[];

  /** @param most the number of records to keep */
  constructor(name: ServerName, most: number) {
    this.#name = name;
    this.#ring = new StepRing(most);
    this.#numbers = new Float64Array(most * columns);
    this.#servers = new Array(most).fill(undefined);
    this.#ids = new Array(most).fill(undefined);
    this.#operations = new Array(most).fill(undefined);
  }

  /**
   * Begins a record; the methods below fill it. Each record is filled by several calls, because an
   * object for it would cost more than the rest.
   * @param ticks the server's Lamport clock after the step; NaN until `settle` sets it
   */
  begin(kind: StepKind, stepMs: number, ticks: number): void {
    this.#ring.begin(kind, stepMs, ticks);
    const { place } = this.#ring;
    const first = place * columns;
    for (let at = first; at < first + columns; at += 1) this.#numbers[at] = Number.NaN;
    this.#servers[place] = undefined;
    this.#ids[place] = undefined;
    this.#operations[place] = undefined;
  }

  /** Sets the events of the record: those of one server, from the first `seq` to the last. */
  setEvents(server: ServerName, first: number, last: number): void {
    const index = this.#ring.place * columns;
    this.#servers[this.#ring.place] = server;
    this.#numbers[index + from] = first;
    this.#numbers[index + to] = last;
  }

  /** Sets what the event of the record is, from its journal line. */
  setWritten(id: string | undefined, operation: string, ticks: number): void {
    this.#ids[this.#ring.place] = id;
    this.#operations[this.#ring.place] = operation;
    this.setEventClock(ticks);
  }

  setEventClock(ticks: number): void {
    this.#numbers[this.#ring.place * columns + eventClock] = ticks;
  }

  /**
   * Sets the sender of the message that caused the step, undefined for a client, and the clock in
   * the message.
   */
  setSender(peer: ServerName | undefined, ticks: number | undefined): void {
    this.#ring.setSender(peer, ticks);
  }

  /** Sets the clock of all records that were added without a clock since the last call. */
  settle(value: number): void {
    this.#ring.settle(value);
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

  /** Returns the event of this name or id; undefined if its record was overwritten. */
  #find(of: string, name: Name | undefined, committed: Vector): Written | undefined {
    const found: Written[] = [];
    for (const place of this.#ring.places()) {
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
    for (const place of this.#ring.places()) {
      if (!this.#isAbout(place, sought)) continue;
      const step = this.#ring.step(place);
      // A message that goes to several topics has one step.
      if (step.kind !== "published" || steps.at(-1)?.kind !== "published") steps.push(step);
    }
    return steps.slice(0, limits.eventSteps);
  }

  #isAbout(place: number, sought: Sought): boolean {
    if (this.#ring.kind(place) === "published") {
      return sought.server === this.#name && this.#number(place, eventClock) === sought.clock;
    }
    const [first = 0, last = 0] = [this.#number(place, from), this.#number(place, to)];
    return this.#servers[place] === sought.server && first <= sought.seq && sought.seq <= last;
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
