import { limits } from "../protocol/limits.ts";

/**
 * Detects repeated messages of each member by their counters: a member never uses a counter twice.
 * The window holds many counters, because messages over two proxies may arrive out of order.
 * Source: the anti-replay window of RFC 4303, 3.4.3, here for counters with gaps.
 */
export class ReplayWindow {
  /**
   * Counters up to this value are too old to be checked, or may be from before this process
   * started.
   */
  #floor: number;
  /** The newest counters of each member, in ascending order. */
  readonly #heard = new Map<string, number[]>();

  constructor(floor: number) {
    this.#floor = floor;
  }

  /**
   * Records the counter of a genuine message.
   * @returns `repeated` if the message has certainly come before, `old` if it may have come before,
   * else `new`
   */
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

  /**
   * If too many members are remembered, forgets the member whose last counter is lowest. From then
   * on, all counters up to that counter are `old`.
   */
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
