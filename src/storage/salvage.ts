/**
 * Extracts the valid parts of a value that may be damaged, and records whether a part was invalid.
 */
export class Salvage {
  #isWhole = true;

  /** Whether every part that was read so far was valid. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /**
   * Returns the parsed value, or `otherwise` if the value is invalid.
   * @param parse throws if the value is invalid
   */
  value<T>(value: unknown, parse: (value: unknown) => T, otherwise: T): T {
    try {
      return parse(value);
    } catch {
      this.#isWhole = false;
      return otherwise;
    }
  }

  /** Returns the valid items of a list. */
  list<T>(value: unknown, parse: (item: unknown) => T): T[] {
    const items = this.value(value, asList, []);
    return items.flatMap((item) => this.value<T[]>(item, (given) => [parse(given)], []));
  }
}

function asList(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error("it is not a list");
  return value;
}
