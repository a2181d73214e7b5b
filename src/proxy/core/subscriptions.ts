/**
 * Who has subscribed to what, counted by connection: a cancel counts only for whoever has subscribed.
 * A topic is the beginning of those that it stands for (ZMTP 3.1, RFC 29, "PUB").
 */
export class Subscriptions<Subscriber> {
  readonly #ofTopic = new Map<string, Set<Subscriber>>();
  readonly #ofSubscriber = new Map<Subscriber, Set<string>>();
  /** How many topics have each length, so that a publication is looked up by these alone. */
  readonly #lengths: number[] = [];

  get topics(): Iterable<string> {
    return this.#ofTopic.keys();
  }

  get size(): number {
    return this.#ofTopic.size;
  }

  countOf(subscriber: Subscriber): number {
    return this.#ofSubscriber.get(subscriber)?.size ?? 0;
  }

  /** @param topic its bytes, as latin1; @returns whether nobody had subscribed to it before */
  add(subscriber: Subscriber, topic: string): boolean {
    const subscribers = this.#ofTopic.get(topic);
    const topics = this.#ofSubscriber.get(subscriber) ?? new Set();
    this.#ofSubscriber.set(subscriber, topics.add(topic));
    if (subscribers !== undefined) {
      subscribers.add(subscriber);
      return false;
    }
    this.#ofTopic.set(topic, new Set([subscriber]));
    this.#lengths[topic.length] = (this.#lengths[topic.length] ?? 0) + 1;
    return true;
  }

  /** @returns whether nobody is subscribed to it any more, who was before */
  cancel(subscriber: Subscriber, topic: string): boolean {
    if (this.#ofSubscriber.get(subscriber)?.delete(topic) !== true) return false;
    return this.#leave(subscriber, topic);
  }

  /** @returns the topics that nobody is subscribed to any more */
  drop(subscriber: Subscriber): string[] {
    const topics = [...(this.#ofSubscriber.get(subscriber) ?? [])];
    this.#ofSubscriber.delete(subscriber);
    return topics.filter((topic) => this.#leave(subscriber, topic));
  }

  /** Whoever hears a publication on that topic, each once. */
  listeners(topic: Uint8Array): ReadonlySet<Subscriber> {
    const text = Buffer.from(topic.buffer, topic.byteOffset, topic.length).toString("latin1");
    let found: ReadonlySet<Subscriber> | undefined;
    let all: Set<Subscriber> | undefined;
    for (let length = 0; length <= text.length && length < this.#lengths.length; length += 1) {
      if (!this.#lengths[length]) continue;
      const subscribers = this.#ofTopic.get(text.slice(0, length));
      if (subscribers === undefined) continue;
      if (found === undefined) found = subscribers;
      else {
        all ??= new Set(found);
        for (const subscriber of subscribers) all.add(subscriber);
      }
    }
    return all ?? found ?? new Set();
  }

  /** Whoever is subscribed to the most topics. */
  largest(): Subscriber | undefined {
    let most = 0;
    let largest: Subscriber | undefined;
    for (const [subscriber, { size }] of this.#ofSubscriber) {
      if (size <= most) continue;
      most = size;
      largest = subscriber;
    }
    return largest;
  }

  #leave(subscriber: Subscriber, topic: string): boolean {
    const subscribers = this.#ofTopic.get(topic);
    if (subscribers === undefined) return false;
    subscribers.delete(subscriber);
    if (subscribers.size > 0) return false;
    this.#ofTopic.delete(topic);
    this.#lengths[topic.length] = (this.#lengths[topic.length] ?? 1) - 1;
    return true;
  }
}
