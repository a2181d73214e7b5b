import { looksOf } from "../../protocol/looks.ts";

/** Names by what they look like. */
export class NamesByLook<Name extends string> {
  readonly #names = new Map<string, Set<Name>>();

  /** @param looks that another server found for it */
  add(name: Name, looks: readonly string[] = []): void {
    for (const look of [...looksOf(name), ...looks]) {
      const names = this.#names.get(look);
      if (names === undefined) this.#names.set(look, new Set([name]));
      else names.add(name);
    }
  }

  /** All that a person would take for the name, itself too if it was added. */
  *like(name: Name): Generator<Name> {
    for (const look of looksOf(name)) yield* this.with(look);
  }

  with(look: string): Iterable<Name> {
    return this.#names.get(look) ?? [];
  }
}
