import { type ProcessName, type Step, type StepKind, stepKinds } from "./steps.ts";

const kindNumbers = Object.fromEntries(stepKinds.map((kind, at) => [kind, at])) as Readonly<
  Record<StepKind, number>
>;

/** The columns of numbers; a missing number is NaN. */
const [atMs, clock, sentClock, columns] = [0, 1, 2, 3] as const;

/**
 * The newest steps of a process (O63, O68), in a ring. Its owner has further columns, with the same
 * places. The columns are allocated once, because millions of small objects that live for a second
 * would keep the garbage collector busy.
 */
export class StepRing {
  readonly most: number;
  readonly #kinds: Uint8Array;
  readonly #numbers: Float64Array;
  readonly #peers: (ProcessName | undefined)[];
  /** The number of records that were ever added. */
  #added = 0;
  #settled = 0;
  /** Where the last record is in the columns. */
  #place = 0;

  /** @param most the number of records to keep */
  constructor(most: number) {
    this.most = most;
    this.#kinds = new Uint8Array(most);
    this.#numbers = new Float64Array(most * columns);
    this.#peers = new Array(most).fill(undefined);
  }

  /** The place of the last record in the columns. */
  get place(): number {
    return this.#place;
  }

  /** @param ticks the process's Lamport clock after the step; NaN until `settle` sets it */
  begin(kind: StepKind, stepMs: number, ticks: number): void {
    const place = this.#added % this.most;
    this.#added += 1;
    this.#place = place;
    const first = place * columns;
    this.#kinds[place] = kindNumbers[kind];
    this.#numbers[first + atMs] = stepMs;
    this.#numbers[first + clock] = ticks;
    this.#numbers[first + sentClock] = Number.NaN;
    this.#peers[place] = undefined;
  }

  /** Sets the peer of the last record, undefined for a client, and the clock in the peer's message. */
  setSender(peer: ProcessName | undefined, ticks: number | undefined): void {
    this.#peers[this.#place] = peer;
    this.#numbers[this.#place * columns + sentClock] = ticks ?? Number.NaN;
  }

  /** Sets the clock of all records that were added without a clock since the last call. */
  settle(value: number): void {
    for (let at = Math.max(this.#settled, this.#oldest); at < this.#added; at += 1) {
      const index = (at % this.most) * columns + clock;
      if (Number.isNaN(this.#numbers[index])) this.#numbers[index] = value;
    }
    this.#settled = this.#added;
  }

  /** The places of all records, the oldest first. */
  *places(): Generator<number> {
    for (let at = this.#oldest; at < this.#added; at += 1) yield at % this.most;
  }

  kind(place: number): StepKind {
    return stepKinds[this.#kinds[place] as number] as StepKind;
  }

  step(place: number): Step {
    const peer = this.#peers[place];
    const first = place * columns;
    const ticks = this.#numbers[first + clock] as number;
    const sent = this.#numbers[first + sentClock] as number;
    return {
      kind: this.kind(place),
      atMs: this.#numbers[first + atMs] as number,
      clock: Number.isNaN(ticks) ? 0 : ticks,
      ...(peer && { peer }),
      ...(Number.isNaN(sent) ? {} : { sentClock: sent }),
    };
  }

  get #oldest(): number {
    return Math.max(0, this.#added - this.most);
  }
}
