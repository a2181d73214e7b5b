import { compareOrder } from "../../../protocol/event.ts";
import type { Placed } from "../replica/placed.ts";

interface Run<T> {
  readonly items: readonly T[];
  at: number;
}

/**
 * Merges lists that are each in the total order, with a binary heap of the lists. Yields one item
 * at a time.
 */
export function* mergeInOrder<T extends Placed>(lists: readonly (readonly T[])[]): Generator<T> {
  const heap: Run<T>[] = lists
    .filter(({ length }) => length > 0)
    .map((items) => ({ items, at: 0 }));
  heap.sort((a, b) => compareOrder(head(a), head(b)));
  for (let top = heap[0]; top !== undefined; top = heap[0]) {
    yield head(top);
    top.at += 1;
    if (top.at === top.items.length) {
      const last = heap.pop() as Run<T>;
      if (heap.length === 0) return;
      if (last !== top) heap[0] = last;
    }
    sink(heap);
  }
}

function head<T>(run: Run<T>): T {
  return run.items[run.at] as T;
}

/** Restores the order of the heap after the head of its first run has changed. */
function sink<T extends Placed>(heap: Run<T>[]): void {
  const run = heap[0] as Run<T>;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    const right = heap[child + 1];
    if (right !== undefined && isBefore(right, heap[child] as Run<T>)) child += 1;
    if (!isBefore(heap[child] as Run<T>, run)) break;
    heap[at] = heap[child] as Run<T>;
    at = child;
  }
  heap[at] = run;
}

function isBefore<T extends Placed>(a: Run<T>, b: Run<T>): boolean {
  return compareOrder(head(a), head(b)) < 0;
}
