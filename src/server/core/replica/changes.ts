import { compareOrder } from "../../../protocol/event.ts";
import type { RequestId, UserName } from "../../../protocol/ids.ts";
import { limits } from "../../../protocol/limits.ts";
import type { Vector } from "../../../protocol/vector.ts";
import type { Fact } from "./fact.ts";
import { isCommitted, type Placed, writePlace } from "./placed.ts";

/**
 * A change that a user asked for. Equal ids of different users belong to different requests (R6).
 */
export interface Change extends Placed {
  readonly by: UserName;
}

/** Identifies a request. A request without an id is equal to no other request (R6). */
export interface RequestKey {
  readonly id: RequestId | undefined;
  readonly by: UserName;
}

/**
 * The newest changes of each thing, such as a user's password. The last change is in force; some
 * earlier changes are kept to answer repeated requests. The lists do not depend on the order in
 * which changes are added (R4).
 */
export class Changes<T extends Change> {
  readonly #lists = new Map<string, T[]>();
  readonly #compare: (a: T, b: T) => number;

  constructor(compare: (a: T, b: T) => number = compareOrder) {
    this.#compare = compare;
  }

  add(thing: string, change: T): void {
    const list = this.#lists.get(thing) ?? [];
    this.#lists.set(thing, list);
    list.splice(list.findLastIndex((other) => this.#compare(other, change) < 0) + 1, 0, change);
    if (list.length > limits.accountChanges) list.shift();
  }

  last(thing: string): T | undefined {
    return this.#lists.get(thing)?.at(-1);
  }

  /**
   * Returns the user's changes with the request's id. Copies of the request made these changes, or
   * requests with the same id and other content.
   */
  asked(thing: string, { id, by }: RequestKey): T[] {
    if (id === undefined) return [];
    return (this.#lists.get(thing) ?? []).filter((one) => one.id === id && one.by === by);
  }

  /** Whether one of the thing's changes is committed, perhaps an earlier copy of the last one. */
  isCommitted(thing: string, committed: Vector): boolean {
    return (this.#lists.get(thing) ?? []).some((change) => isCommitted(change, committed));
  }

  /** A copy of all kept changes, in the total order. */
  all(): T[] {
    return [...this.#lists.values()].flat().sort(compareOrder);
  }
}

/**
 * The `fold` and `freeze` of a fact whose events are changes. An entry has a change's data and
 * place.
 * @param thingOf returns the key of the changed thing
 */
export function changeFact<T extends Change>(
  changes: Changes<T>,
  thingOf: (change: T) => string,
): Pick<Fact<Omit<T, keyof Placed>>, "fold" | "freeze"> {
  return {
    fold: (data, placed) => {
      const change = { ...data, ...placed } as unknown as T;
      changes.add(thingOf(change), change);
    },
    freeze: () => ({
      entries: changes
        .all()
        .map((change) => ({ ...change, ...writePlace(change), time: undefined })),
    }),
  };
}
