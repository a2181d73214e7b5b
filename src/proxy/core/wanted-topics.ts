import { durations, limits } from "../../protocol/limits.ts";
import { replicationTopic } from "../../protocol/topics.ts";

interface Account {
  /** Topics that it may still bring at once; below zero it has gone ahead of its pace. */
  left: number;
  atMs: number;
}

/**
 * What publishers are told that somebody wants. Each word costs every one of them, and guests have
 * the say: so a topic stays wanted for a moment after its last subscriber, however often it is
 * subscribed to and cancelled meanwhile, and the topics that one address brings have a pace.
 */
export class WantedTopics {
  /** Subscribed to by nobody any more, and since when; the longest first. */
  readonly #ending = new Map<string, number>();
  readonly #accounts = new Map<string, Account>();

  /** Topics that nobody is subscribed to any more, and publishers still know. */
  get ending(): Iterable<string> {
    return this.#ending.keys();
  }

  /**
   * Somebody of that address is the first to subscribe.
   * @returns whether the publishers are to be told
   */
  begin(topic: string, address: string, nowMs: number): boolean {
    // That members are heard never depends on who subscribes.
    if (topic === replicationTopic || this.#ending.delete(topic)) return false;
    this.#account(address, nowMs).left -= 1;
    return true;
  }

  /** Its last subscriber has gone. */
  end(topic: string, nowMs: number): void {
    if (topic !== replicationTopic) this.#ending.set(topic, nowMs);
  }

  /** @returns topics to be cancelled at the publishers */
  over(nowMs: number): string[] {
    const over: string[] = [];
    for (const [topic, sinceMs] of this.#ending) {
      const isOver = nowMs - sinceMs >= durations.topicLingerMs;
      if (!isOver && this.#ending.size <= limits.topics) break;
      this.#ending.delete(topic);
      over.push(topic);
    }
    return over;
  }

  /** What that address may still bring at once; below zero nothing more is to be read of it. */
  left(address: string, nowMs: number): number {
    return this.#account(address, nowMs).left;
  }

  #account(address: string, nowMs: number): Account {
    const known = this.#accounts.get(address) ?? { left: limits.addressTopicBurst, atMs: nowMs };
    const earned = ((nowMs - known.atMs) * limits.addressTopicPace) / 1_000;
    const account = { left: Math.min(limits.addressTopicBurst, known.left + earned), atMs: nowMs };
    // Heard of longest ago stands first.
    this.#accounts.delete(address);
    this.#accounts.set(address, account);
    if (this.#accounts.size > limits.floodBuckets) {
      for (const oldest of this.#accounts.keys()) {
        this.#accounts.delete(oldest);
        break;
      }
    }
    return account;
  }
}
