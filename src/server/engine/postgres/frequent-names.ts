/** The most names: each connection keeps what it knows of a named statement, up to 3 MB, for ever. */
const mostNames = 100;
/** A statement is frequent if it is run so often within so many runs of all. */
const frequent = { runs: 10, within: 1_000 };

/** Tells which of very many statements are run so often that they are worth a name. */
export class FrequentNames {
  readonly #names = new Set<string>();
  /** How often the other statements were run lately. */
  readonly #runs = new Map<string, number>();
  #total = 0;

  /** Counts a run of a statement. @returns the name, unless the statement is rare */
  nameOf(name: string): string | undefined {
    if (this.#names.has(name)) return name;
    if (this.#names.size >= mostNames) return undefined;
    this.#total += 1;
    if (this.#total % frequent.within === 0) this.#runs.clear();
    const runs = (this.#runs.get(name) ?? 0) + 1;
    this.#runs.set(name, runs);
    if (runs < frequent.runs) return undefined;
    this.#names.add(name);
    this.#runs.delete(name);
    return name;
  }
}
