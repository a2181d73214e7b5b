import { limits } from "../protocol/limits.ts";

/**
 * Tells each member's new messages from those that came before, by counters that rise and never
 * repeat. A window instead of the last one alone, because two proxies may overtake each other.
 * Source: the anti-replay window of RFC 4303, 3.4.3, here of counters that leave gaps.
 */
export class ReplayWindow {
  /** Counters up to here were known before, or are too old to tell. */
  #floor: number;
  /** The newest counters of each member, rising. */
  readonly #heard = new Map<string, number[]>();

  constructor(floor: number) {
    this.#floor = floor;
  }

  /** Notes a message that is genuine. @returns `repeated` for one that is known to have come */
  take(sender: string, counter: number): "new" | "repeated" | "old" {
    const heard = this.#heard.get(sender) ?? [];
    let at = heard.length;
    while (at > 0 && (heard[at - 1] as number) > counter) at -= 1;
    if (heard[at - 1] === counter) return "repeated";
    if (counter <= this.#floor) return "old";
    const isFull = heard.length >= limits.replayWindow;
    if (isFull && at === 0) return "old";
    heard.splice(at, 0, counter);
    if (isFull) heard.shift();
    this.#heard.set(sender, heard);
    this.#bound(sender);
    return "new";
  }

  /** Forgets the longest silent one, and with it takes nothing any more as old as that. */
  #bound(present: string): void {
    if (this.#heard.size <= limits.replaySenders) return;
    let oldest = present;
    let lowest = Number.POSITIVE_INFINITY;
    for (const [sender, heard] of this.#heard) {
      const newest = heard.at(-1) ?? 0;
      if (sender === present || newest >= lowest) continue;
      oldest = sender;
      lowest = newest;
    }
    this.#heard.delete(oldest);
    this.#floor = Math.max(this.#floor, lowest);
  }
}
