interface Instant {
  /** Milliseconds since 1970. */
  readonly wallMs: number;
  /** Milliseconds of a clock that only moves forward. */
  readonly steadyMs: number;
}

/**
 * Adds a fraction to the machine's time, which has whole milliseconds. The fraction comes from the
 * steady time, which is finer, but does not change when somebody sets the machine's clock.
 */
export class FineTime {
  #originMs: number;

  /** @param originMs the machine's time at steady time 0, in milliseconds since 1970 */
  constructor(originMs: number) {
    this.#originMs = originMs;
  }

  /** Returns milliseconds since 1970, always within the whole millisecond of `wallMs`. */
  at({ wallMs, steadyMs }: Instant): number {
    const fine = this.#originMs + steadyMs;
    const atMs = Math.min(Math.max(fine, wallMs), wallMs + 0.999);
    this.#originMs += atMs - fine;
    return Math.round(atMs * 1_000) / 1_000;
  }
}
