import { limits } from "./limits.ts";

/**
 * A logical clock (W5): one more before each send, and on receipt the maximum of both, plus one.
 * Source: L. Lamport, "Time, Clocks, and the Ordering of Events in a Distributed System", 1978.
 */
export class LamportClock {
  #value: number;
  /** Called with each new value, before another process can see it. */
  onRise: (value: number) => void = () => {};

  constructor(value = 0) {
    this.#value = value;
  }

  get value(): number {
    return this.#value;
  }

  /** The clock of a message or event about to be made. */
  tick(): number {
    return this.#rise(this.#value + 1);
  }

  /** A message with this clock has arrived from a member of the cluster. */
  receive(clock: number): void {
    this.#rise(Math.max(this.#value, clock) + 1);
  }

  /**
   * A message with this clock has arrived, perhaps from a guest. A clock that is too far ahead counts
   * as 0, so that nobody can run the cluster's clock off its end (W4).
   * @returns whether the clock was believed
   */
  receiveFromAnyone(clock: number): boolean {
    const believed = clock <= this.#value + limits.clockAhead;
    this.receive(believed ? clock : 0);
    return believed;
  }

  #rise(value: number): number {
    this.#value = value;
    this.onRise(value);
    return value;
  }
}

/**
 * Bounds by how much guests together may raise a process's clock (W4): a leap costs its disk a sync,
 * and the disk of each member that hears of it (X1c). A small lead is always believed, because
 * servers in full work are behind each other by so much.
 */
export class ClockAllowance {
  #left: number = limits.clockAhead;
  #atMs = 0;

  /** @returns whether a clock is believed by a process whose own is `own` */
  believes(clock: number, own: number, steadyMs: number): boolean {
    const ahead = clock - own;
    if (ahead <= limits.clockLead) return true;
    const earned = (Math.max(0, steadyMs - this.#atMs) * limits.clockAheadPace) / 1_000;
    this.#left = Math.min(limits.clockAhead, this.#left + earned);
    this.#atMs = steadyMs;
    if (ahead > this.#left) return false;
    this.#left -= ahead;
    return true;
  }
}

/** A clock of the wire; undefined if it is not an integer of at least 0. */
export function parseClock(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
}
