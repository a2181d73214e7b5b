/** Takes what is right out of a value that may be damaged, and remembers whether something was not. */
export class Salvage {
  #isWhole = true;

  /** Nothing had to be left out so far. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /**
   * @param parse throws if the value is wrong
   * @param otherwise takes the place of a wrong value
   */
  value<T>(value: unknown, parse: (value: unknown) => T, otherwise: T): T {
    try {
      return parse(value);
    } catch {
      this.#isWhole = false;
      return otherwise;
    }
  }

  /** Without its wrong items. */
  list<T>(value: unknown, parse: (item: unknown) => T): T[] {
    const items = this.value(value, asList, []);
    return items.flatMap((item) => this.value<T[]>(item, (given) => [parse(given)], []));
  }
}

function asList(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error("it is no list");
  return value;
}
