/**
 * The topics that have subscribers, and what members have been told about them. Members are told a
 * difference once, however often it has changed in between.
 */
export class WantedTopics {
  readonly #told = new Set<string>();
  /** Topics that are wanted and not told, or told and no longer wanted; the oldest change first. */
  readonly #news = new Set<string>();

  /** The topics that members know as wanted. */
  get told(): Iterable<string> {
    return this.#told;
  }

  note(topic: string, isWanted: boolean): void {
    if (isWanted === this.#told.has(topic)) this.#news.delete(topic);
    else this.#news.add(topic);
  }

  /** The next changes to tell, at most so many: each topic, and whether it is wanted. */
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
