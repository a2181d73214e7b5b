import { looksOf } from "../../../protocol/looks.ts";

/** Finds the names that have the same looks as another name (W18). */
export class NamesByLook<Name extends string> {
  readonly #names = new Map<string, Set<Name>>();

  /**
   * @param looks further looks of the name, which another server computed with its own version of
   * Unicode
   */
  add(name: Name, looks: readonly string[] = []): void {
    for (const look of [...looksOf(name), ...looks]) {
      const names = this.#names.get(look);
      if (names === undefined) this.#names.set(look, new Set([name]));
      else names.add(name);
    }
  }

  /**
   * Yields all added names with the same looks, perhaps including `name`. May yield a name twice.
   */
  *like(name: Name): Generator<Name> {
    for (const look of looksOf(name)) yield* this.with(look);
  }

  with(look: string): Iterable<Name> {
    return this.#names.get(look) ?? [];
  }
}
