/** Measures requests per second. `look` computes a new average at most once a second. */
export class Rate {
  perSecond = 0;
  #count = 0;
  #sinceMs = 0;

  add(count: number): void {
    this.#count += count;
  }

  look(steadyMs: number): number {
    const elapsedMs = steadyMs - this.#sinceMs;
    if (elapsedMs >= 1_000) {
      this.perSecond = Math.round((this.#count * 1_000) / elapsedMs);
      this.#count = 0;
      this.#sinceMs = steadyMs;
    }
    return this.perSecond;
  }
}
