interface Task {
  readonly atMs: number;
  readonly order: number;
  run(): void;
}

/**
 * The most tasks at one virtual instant; a few hundred are normal. Without the limit, an endless
 * chain of tasks would hang the test.
 */
const mostAtOnce = 100_000;

/** A clock that moves only when a test runs it, from one task to the next. */
export class VirtualTime {
  nowMs = 0;
  /** A binary heap by time, then by the order in which tasks were planned. */
  readonly #tasks: Task[] = [];
  #planned = 0;
  /** Number of tasks that ran since the clock last moved. */
  #atOnce = 0;

  at(atMs: number, run: () => void): void {
    const task = { atMs: Math.max(atMs, this.nowMs), order: this.#planned, run };
    this.#planned += 1;
    const heap = this.#tasks;
    let at = heap.length;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (!isBefore(task, heap[parent] as Task)) break;
      heap[at] = heap[parent] as Task;
      at = parent;
    }
    heap[at] = task;
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
    const task = this.#pop();
    this.#atOnce = task.atMs === this.nowMs ? this.#atOnce + 1 : 0;
    if (this.#atOnce > mostAtOnce) throw new Error(`at ${this.nowMs} ms there is no end of tasks`);
    this.nowMs = task.atMs;
    task.run();
  }

  #pop(): Task {
    const heap = this.#tasks;
    const first = heap[0] as Task;
    const last = heap.pop() as Task;
    if (heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right !== undefined && isBefore(right, heap[child] as Task)) child += 1;
      if (!isBefore(heap[child] as Task, last)) break;
      heap[at] = heap[child] as Task;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: Task, b: Task): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
