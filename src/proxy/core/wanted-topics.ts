/**
 * The topics that have subscribers, and the changes that members do not know yet. If a topic
 * changes several times between two messages to members, members learn only its last state. If they
 * know that state already, they learn nothing.
 */
export class WantedTopics {
  readonly #told = new Set<string>();
  /**
   * Topics whose change members do not know yet: newly wanted, or no longer wanted. The oldest
   * change comes first.
   */
  readonly #news = new Set<string>();

  /** The topics that members know to be wanted. */
  get told(): Iterable<string> {
    return this.#told;
  }

  note(topic: string, isWanted: boolean): void {
    if (isWanted === this.#told.has(topic)) this.#news.delete(topic);
    else this.#news.add(topic);
  }

  /** Returns the next changes for members, at most `most`: each topic, and whether it is wanted. */
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
