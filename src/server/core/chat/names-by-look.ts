import { looksOf } from "../../../protocol/looks.ts";

/** Finds the names that look the same as a name (W18). */
export class NamesByLook<Name extends string> {
  readonly #names = new Map<string, Set<Name>>();

  /** @param looks what another server, with its own version of Unicode, found for the name */
  add(name: Name, looks: readonly string[] = []): void {
    for (const look of [...looksOf(name), ...looks]) {
      const names = this.#names.get(look);
      if (names === undefined) this.#names.set(look, new Set([name]));
      else names.add(name);
    }
  }

  /** All names that look the same, the name itself too if it was added; some come twice. */
  *like(name: Name): Generator<Name> {
    for (const look of looksOf(name)) yield* this.with(look);
  }

  with(look: string): Iterable<Name> {
    return this.#names.get(look) ?? [];
  }
}
