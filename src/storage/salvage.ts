/** Takes the valid parts out of a value that may be damaged, and notes whether a part was not. */
export class Salvage {
  #isWhole = true;

  /** Whether nothing had to be left out so far. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /**
   * @param parse throws if the value is wrong
   * @param otherwise stands in for a wrong value
   */
  value<T>(value: unknown, parse: (value: unknown) => T, otherwise: T): T {
    try {
      return parse(value);
    } catch {
      this.#isWhole = false;
      return otherwise;
    }
  }

  /** The items of a list that are right. */
  list<T>(value: unknown, parse: (item: unknown) => T): T[] {
    const items = this.value(value, asList, []);
    return items.flatMap((item) => this.value<T[]>(item, (given) => [parse(given)], []));
  }
}

function asList(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error("it is not a list");
  return value;
}
