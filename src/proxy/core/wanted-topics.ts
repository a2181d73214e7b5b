/**
 * Which topics somebody wants, and what members have been told of that. They are told what is otherwise
 * than they know, once, however often it changed meanwhile.
 */
export class WantedTopics {
  readonly #told = new Set<string>();
  /** Wanted and not told, or told and not wanted any more; what changed first stands first. */
  readonly #news = new Set<string>();

  /** What members know. */
  get told(): Iterable<string> {
    return this.#told;
  }

  note(topic: string, isWanted: boolean): void {
    if (isWanted === this.#told.has(topic)) this.#news.delete(topic);
    else this.#news.add(topic);
  }

  /** What to tell now, so many at most: each topic, and whether it is wanted. */
  take(most: number): (readonly [topic: string, isWanted: boolean])[] {
    const taken: (readonly [string, boolean])[] = [];
    for (const topic of this.#news) {
      if (taken.length === most) break;
      this.#news.delete(topic);
      const isWanted = !this.#told.delete(topic);
      if (isWanted) this.#told.add(topic);
      taken.push([topic, isWanted]);
    }
    return taken;
  }
}
