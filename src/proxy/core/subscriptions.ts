interface Topic<Subscriber> {
  readonly text: string;
  readonly subscribers: Set<Subscriber>;
}

/**
 * The topics to which each connection has subscribed. A connection can cancel only its own
 * subscriptions. A subscription matches each publication whose topic begins with the subscribed
 * topic (RFC 29, "SUB"). A topic is a string with one character per byte (latin1).
 */
export class Subscriptions<Subscriber> {
  readonly #topics = new Map<string, Topic<Subscriber>>();
  readonly #ofSubscriber = new Map<Subscriber, Set<Topic<Subscriber>>>();
  /**
   * The number of topics of each length. For a publication, only the prefixes of its topic that
   * have one of these lengths are looked up.
   */
  readonly #lengths: number[] = [];
  #topicBytes = 0;
  #count = 0;

  /** The number of different topics, and the sum of their bytes. */
  get size(): { readonly topics: number; readonly bytes: number } {
    return { topics: this.#topics.size, bytes: this.#topicBytes };
  }

  /** The number of subscriptions of all connections. */
  get count(): number {
    return this.#count;
  }

  countOf(subscriber: Subscriber): number {
    return this.#ofSubscriber.get(subscriber)?.size ?? 0;
  }

  has(subscriber: Subscriber, topic: string): boolean {
    return this.#topics.get(topic)?.subscribers.has(subscriber) ?? false;
  }

  /**
   * Adds a subscription.
   * @returns whether it is the first subscription to the topic
   */
  add(subscriber: Subscriber, text: string): boolean {
    const known = this.#topics.get(text);
    const topic = known ?? { text, subscribers: new Set() };
    if (topic.subscribers.has(subscriber)) return false;
    topic.subscribers.add(subscriber);
    const topics = this.#ofSubscriber.get(subscriber) ?? new Set();
    this.#ofSubscriber.set(subscriber, topics.add(topic));
    this.#count += 1;
    if (known !== undefined) return false;
    this.#topics.set(text, topic);
    this.#topicBytes += text.length;
    this.#lengths[text.length] = (this.#lengths[text.length] ?? 0) + 1;
    return true;
  }

  /**
   * Cancels a subscription.
   * @returns whether it was the last subscription to the topic
   */
  cancel(subscriber: Subscriber, text: string): boolean {
    const topic = this.#topics.get(text);
    const topics = this.#ofSubscriber.get(subscriber);
    if (topic === undefined || topics?.delete(topic) !== true) return false;
    if (topics.size === 0) this.#ofSubscriber.delete(subscriber);
    return this.#leave(subscriber, topic);
  }

  /**
   * Removes a subscriber.
   * @returns the topics that nobody subscribes to any more
   */
  drop(subscriber: Subscriber): string[] {
    const topics = [...(this.#ofSubscriber.get(subscriber) ?? [])];
    this.#ofSubscriber.delete(subscriber);
    return topics.filter((topic) => this.#leave(subscriber, topic)).map(({ text }) => text);
  }

  /** Returns the subscribers of a publication on that topic, each once. */
  listeners(topic: Uint8Array): ReadonlySet<Subscriber> {
    const longest = Math.min(topic.length, this.#lengths.length);
    const text = Buffer.from(topic.buffer, topic.byteOffset, longest).toString("latin1");
    let found: ReadonlySet<Subscriber> | undefined;
    let all: Set<Subscriber> | undefined;
    for (let length = 0; length <= longest; length += 1) {
      if (!this.#lengths[length]) continue;
      const subscribers = this.#topics.get(text.slice(0, length))?.subscribers;
      if (subscribers === undefined) continue;
      if (found === undefined) found = subscribers;
      else {
        all ??= new Set(found);
        for (const subscriber of subscribers) all.add(subscriber);
      }
    }
    return all ?? found ?? new Set();
  }

  /**
   * Returns the subscriber with the most topics in the group with the most topics. To make room, a
   * proxy closes the connection of this subscriber. If each address is a group, many connections of
   * one address can't displace the connections of another address.
   */
  largest(groupOf: (subscriber: Subscriber) => string): Subscriber | undefined {
    const ofGroup = new Map<string, { sum: number; most: number; subscriber: Subscriber }>();
    for (const [subscriber, { size }] of this.#ofSubscriber) {
      const name = groupOf(subscriber);
      const group = ofGroup.get(name) ?? { sum: 0, most: 0, subscriber };
      group.sum += size;
      if (size > group.most) Object.assign(group, { most: size, subscriber });
      ofGroup.set(name, group);
    }
    return [...ofGroup.values()].sort((a, b) => b.sum - a.sum)[0]?.subscriber;
  }

  #leave(subscriber: Subscriber, { text, subscribers }: Topic<Subscriber>): boolean {
    subscribers.delete(subscriber);
    this.#count -= 1;
    if (subscribers.size > 0) return false;
    this.#topics.delete(text);
    this.#topicBytes -= text.length;
    this.#lengths[text.length] = (this.#lengths[text.length] ?? 1) - 1;
    return true;
  }
}
