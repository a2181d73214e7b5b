import { limits } from "./limits.ts";

/**
 * A logical clock (W5). To send a message, the process raises the clock by 1. To receive a message,
 * it raises the clock to 1 above the higher of its own and the received clock. Source: L. Lamport,
 * "Time, Clocks, and the Ordering of Events in a Distributed System", 1978.
 */
export class LamportClock {
  #value: number;
  /** Called with each new value, before the value is sent to another process. */
  onRise: (value: number) => void = () => {};

  constructor(value = 0) {
    this.#value = value;
  }

  get value(): number {
    return this.#value;
  }

  /** Raises the clock by 1 and returns it, for a new message or event. */
  tick(): number {
    return this.#rise(this.#value + 1);
  }

  /** Raises the clock above the clock of a message that a member of the cluster sent. */
  receive(clock: number): void {
    this.#rise(Math.max(this.#value, clock) + 1);
  }

  /**
   * Raises the clock above the clock of a message that a guest may have sent. A clock that is too
   * far ahead counts as 0, so that no guest can raise the cluster's clock to the largest possible
   * value (W4).
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
 * Limits how far all guests together may raise a process's clock (W4). Each large jump makes this
 * process, and each member that receives the clock, sync a file (X1c). A clock ahead by at most
 * `clockLead` is always believed, because the clocks of busy servers differ by as much.
 */
export class ClockAllowance {
  #left: number = limits.clockAhead;
  #atMs = 0;

  /** Returns whether a process with the clock `own` believes the received clock. */
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

/** Returns a received clock; undefined if the value is not an integer of at least 0. */
export function parseClock(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
}
