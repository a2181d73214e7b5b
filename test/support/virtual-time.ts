interface Task {
  readonly atMs: number;
  readonly order: number;
  run(): void;
}

/** A clock that moves only when it is told to, from one task to the next. */
export class VirtualTime {
  nowMs = 0;
  /** Sorted by time, then by the order in which they were planned. */
  readonly #tasks: Task[] = [];
  #planned = 0;

  at(atMs: number, run: () => void): void {
    const task = { atMs: Math.max(atMs, this.nowMs), order: this.#planned, run };
    this.#planned += 1;
    let index = this.#tasks.length;
    while (index > 0 && (this.#tasks[index - 1] as Task).atMs > task.atMs) index -= 1;
    this.#tasks.splice(index, 0, task);
  }

  after(delayMs: number, run: () => void): void {
    this.at(this.nowMs + delayMs, run);
  }

  runFor(durationMs: number): void {
    const endMs = this.nowMs + durationMs;
    while (this.#tasks.length > 0 && (this.#tasks[0] as Task).atMs <= endMs) this.#runNext();
    this.nowMs = endMs;
  }

  /** @throws Error if the condition does not come true within `limitMs` of virtual time */
  runUntil(condition: () => boolean, what: string, limitMs = 20_000): void {
    const endMs = this.nowMs + limitMs;
    while (!condition()) {
      if (this.#tasks.length === 0 || (this.#tasks[0] as Task).atMs > endMs) {
        throw new Error(`never came true within ${limitMs} ms: ${what}`);
      }
      this.#runNext();
    }
  }

  #runNext(): void {
    const task = this.#tasks.shift() as Task;
    this.nowMs = task.atMs;
    task.run();
  }
}
