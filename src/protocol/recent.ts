/** A map of at most `most` keys: a new key replaces the key that was set longest ago. */
export class Recent<K, V> {
  readonly #most: number;
  /** The values by key; the key that was set last comes last. */
  readonly #values = new Map<K, V>();
  /**
   * Points behind the last key that was replaced. A new iterator would step over the places of all
   * keys that were deleted since the map last grew.
   */
  readonly #oldest = this.#values.keys();

  constructor(most: number) {
    this.#most = most;
  }

  get(key: K): V | undefined {
    return this.#values.get(key);
  }

  set(key: K, value: V): void {
    this.#values.delete(key);
    this.#values.set(key, value);
    if (this.#values.size > this.#most) this.#values.delete(this.#oldest.next().value as K);
  }
}
