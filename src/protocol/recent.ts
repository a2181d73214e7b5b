/** A map of at most `most` keys: a new key replaces the key that was set longest ago. */
export class Recent<K, V> {
  readonly #most: number;
  /** The values by key; the key that was set last comes last. */
  readonly #values = new Map<K, V>();
  /**
   * Points behind the last key that was replaced. A new iterator for each replaced key would step
   * over the places of all keys that were deleted since V8 last made the map's table anew.
   */
  #oldest = this.#values.keys();
  #setsOfIterator = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get(key: K): V | undefined {
    return this.#values.get(key);
  }

  set(key: K, value: V): void {
    this.#values.delete(key);
    this.#values.set(key, value);
    this.#setsOfIterator += 1;
    if (this.#setsOfIterator > this.#most) this.#renewIterator();
    if (this.#values.size > this.#most) this.#values.delete(this.#oldest.next().value as K);
  }

  /** An iterator keeps all tables in memory that the map has had since the iterator last moved. */
  #renewIterator(): void {
    this.#oldest = this.#values.keys();
    this.#setsOfIterator = 0;
  }
}
