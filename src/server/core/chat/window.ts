import assert from "node:assert";
import { compareOrder } from "../../../protocol/event.ts";
import type { RequestId, ServerName } from "../../../protocol/ids.ts";
import type { Vector } from "../../../protocol/vector.ts";
import { firstIndex } from "../first-index.ts";
import { isCommitted, type Placed } from "../replica/placed.ts";

/** A queue with random access. `shift` is cheap, because it seldom moves the other items. */
export class Tail<T> {
  #items: (T | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  at(index: number): T | undefined {
    return index < 0 ? undefined : this.#items[this.#head + index];
  }

  push(item: T): void {
    this.#items.push(item);
  }

  insert(index: number, item: T): void {
    this.#items.splice(this.#head + index, 0, item);
  }

  shift(): T | undefined {
    const item = this.#items[this.#head];
    if (item === undefined) return undefined;
    this.#items[this.#head] = undefined;
    this.#head += 1;
    if (this.#head > 1_000 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  slice(): T[] {
    return this.#items.slice(this.#head) as T[];
  }
}

/** The first index whose item is not before `place` in the total order. */
export function lowerBound(
  list: Tail<Placed>,
  place: { readonly clock: number; readonly server: ServerName },
): number {
  return firstIndex(list.length, (index) => compareOrder(list.at(index) as Placed, place) < 0);
}

/** Inserts an item at its place in the total order, which is nearly always the end. */
export function insert<T extends Placed>(list: Tail<T>, item: T): void {
  const last = list.at(list.length - 1);
  if (last === undefined || compareOrder(last, item) < 0) list.push(item);
  else list.insert(lowerBound(list, item), item);
}

/** Decides which entries with the same id belong to the same request (R6). */
export interface Sameness<T> {
  /**
   * Returns the scope of an entry's id. Equal ids in different scopes belong to different requests.
   */
  scopeOf(entry: T): string;
  /** Whether two entries with the same id and scope have the same content. */
  isDuplicate(one: T, other: T): boolean;
}

/**
 * Keeps the entries of the newest requests (J3). `add` counts distinct requests from the newest
 * entry downwards in the total order. The newest entry of the `most`-th request is the lowest entry
 * that `add` keeps. `add` drops all lower entries, including duplicates of kept entries. So the
 * kept entries depend only on the set of added entries, not on the order in which they were added
 * (R4).
 */
export class Window<T extends Placed> {
  /** The kept entries, duplicates included, in the total order. */
  readonly entries = new Tail<T>();
  readonly #most: number;
  readonly #sameness: Sameness<T>;
  /**
   * The entries by id. If an id has several entries, they are listed by scope, in the total order.
   * Many senders may use the id "1", and a lookup then searches only one sender's entries.
   */
  readonly #byId = new Map<RequestId, T | Map<string, T[]>>();
  /** The number of distinct requests among the entries. */
  #distinct = 0;

  /** @param most the number of distinct requests to keep */
  constructor(most: number, sameness: Sameness<T>) {
    this.#most = most;
    this.#sameness = sameness;
  }

  get isFull(): boolean {
    return this.#distinct === this.#most;
  }

  /** @returns the dropped entries, perhaps including the added entry */
  add(entry: T): T[] {
    insert(this.entries, entry);
    if (entry.id === undefined || this.duplicates(entry).length === 0) this.#distinct += 1;
    this.#note(entry);
    const dropped: T[] = [];
    while (this.#distinct >= this.#most) {
      const lowest = this.entries.at(0) as T;
      const isLastOfItsRequest = lowest.id === undefined || this.duplicates(lowest).length === 1;
      if (this.#distinct === this.#most && isLastOfItsRequest) break;
      this.entries.shift();
      this.#forget(lowest);
      if (isLastOfItsRequest) this.#distinct -= 1;
      dropped.push(lowest);
    }
    return dropped;
  }

  /**
   * Returns all entries of the same request, in the total order; an empty list for an entry without
   * an id.
   */
  duplicates(like: T): readonly T[] {
    if (like.id === undefined) return [];
    const alike = this.#named(like.id, () => this.#sameness.scopeOf(like));
    return alike.filter((entry) => this.#sameness.isDuplicate(entry, like));
  }

  /** The earliest entry with this id and scope that `isWanted` accepts. */
  find(id: RequestId, scope: string, isWanted: (entry: T) => boolean): T | undefined {
    return this.#named(id, () => scope).find(isWanted);
  }

  holds(entry: T): boolean {
    const found = this.entries.at(lowerBound(this.entries, entry));
    return found !== undefined && found.server === entry.server && found.seq === entry.seq;
  }

  /**
   * Whether readers see the entry: of duplicates, they see only the earliest committed entry (R6).
   */
  shows(entry: T, committed: Vector): boolean {
    if (!isCommitted(entry, committed)) return false;
    if (entry.id === undefined || !(this.#byId.get(entry.id) instanceof Map)) return true;
    return this.duplicates(entry).find((duplicate) => isCommitted(duplicate, committed)) === entry;
  }

  #named(id: RequestId, scope: () => string): readonly T[] {
    const same = this.#byId.get(id);
    if (same === undefined) return [];
    if (same instanceof Map) return same.get(scope()) ?? [];
    return this.#sameness.scopeOf(same) === scope() ? [same] : [];
  }

  #note(entry: T): void {
    if (entry.id === undefined) return;
    const same = this.#byId.get(entry.id);
    if (same === undefined) {
      this.#byId.set(entry.id, entry);
      return;
    }
    const { scopeOf } = this.#sameness;
    const byScope = same instanceof Map ? same : new Map([[scopeOf(same), [same]]]);
    const all = [...(byScope.get(scopeOf(entry)) ?? []), entry].sort(compareOrder);
    this.#byId.set(entry.id, byScope.set(scopeOf(entry), all));
  }

  #forget(entry: T): void {
    if (entry.id === undefined) return;
    const same = this.#byId.get(entry.id);
    if (!(same instanceof Map)) {
      this.#byId.delete(entry.id);
      return;
    }
    const scope = this.#sameness.scopeOf(entry);
    const all = same.get(scope) ?? [];
    const rest = all.filter((other) => other !== entry);
    assert(rest.length === all.length - 1, "an entry of the window is known by its id");
    if (rest.length > 0) same.set(scope, rest);
    else same.delete(scope);
    if (same.size === 0) this.#byId.delete(entry.id);
  }
}
