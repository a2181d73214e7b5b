import type { Subscriber } from "../net/subscriber.ts";
import { now } from "../platform/clock.ts";
import { decode } from "../protocol/codec.ts";
import { ProtocolError } from "../protocol/errors.ts";
import type { LamportClock } from "../protocol/lamport-clock.ts";
import { limits } from "../protocol/limits.ts";
import { parsePublications } from "../protocol/parse-reply.ts";
import type { Publication } from "../protocol/publications.ts";
import { covers } from "../protocol/vector.ts";
import { Duplicates } from "./duplicates.ts";
import { Subscription, type SubscriptionPorts } from "./subscription.ts";

export interface Reader extends SubscriptionPorts {
  /** Called with each payload of the topic, sealed or not. */
  hear(payload: Buffer): void;
}

type Wire = Pick<Subscriber, "subscribe" | "unsubscribe" | "close">;

/** Connects to the proxies. @returns undefined if the connection has no proxies */
export type OpenWire = (
  onMessage: (topic: string, payload: Buffer) => void,
  onConnections: (count: number) => void,
) => Wire | undefined;

interface Feed {
  readonly readers: Map<Subscription, Reader>;
  readonly duplicates: Duplicates;
  /** When a reader next looks for missed publications. */
  dueMs: number;
}

/** Time between two looks of a topic's readers for publications that they may have missed. */
const lookAgainMs = 4_000;
const lookerMs = 200;
/**
 * The most subscriptions that fetch at once. More requests would exceed the connection's pace (A9),
 * and hold up the publications that arrive meanwhile.
 */
const looksAtOnce = 50;

/**
 * The subscriptions of all sessions of a connection. The connection subscribes to a topic once, for
 * all sessions that read the topic.
 */
export class Feeds {
  readonly #clock: LamportClock;
  readonly #wire: Wire | undefined;
  /** By topic; the topic that is due next comes first. */
  readonly #feeds = new Map<string, Feed>();
  /** The subscriptions that have missed what another reader of their topic has found. */
  readonly #behind = new Set<Subscription>();
  readonly #looker: NodeJS.Timeout;
  #connections = 0;
  #read: { plain: Uint8Array; publications: readonly Publication[] } | undefined;

  constructor(clock: LamportClock, openWire: OpenWire) {
    this.#clock = clock;
    this.#wire = openWire(
      (topic, payload) => this.#receive(topic, payload),
      (count) => this.#proxiesChanged(count),
    );
    this.#looker = setInterval(() => this.#lookAgain(), lookerMs);
  }

  /**
   * @throws ProtocolError `too_large` at the limit `connectionTopics`, because the proxy would end
   * the connection at one more topic
   */
  join(topic: string, reader: Reader): Subscription {
    let feed = this.#feeds.get(topic);
    if (feed === undefined) {
      if (this.#feeds.size >= limits.connectionTopics) throw tooManyTopics();
      const dueMs = now().steadyMs + lookAgainMs;
      feed = { readers: new Map(), duplicates: new Duplicates(), dueMs };
      this.#feeds.set(topic, feed);
      this.#wire?.subscribe(topic);
    }
    const subscription = new Subscription(topic, reader, feed.duplicates);
    feed.readers.set(subscription, reader);
    return subscription;
  }

  leave(subscription: Subscription): void {
    const { topic } = subscription;
    subscription.close();
    this.#behind.delete(subscription);
    const readers = this.#feeds.get(topic)?.readers;
    if (!readers?.delete(subscription) || readers.size > 0) return;
    this.#feeds.delete(topic);
    this.#wire?.unsubscribe(topic);
  }

  /**
   * Decodes a payload's publications. Sessions that have opened the same payload share the result.
   */
  read(plain: Uint8Array): readonly Publication[] {
    if (this.#read?.plain === plain) return this.#read.publications;
    const publications = publicationsOf(plain);
    for (const { clock } of publications) this.#clock.receiveFromAnyone(clock);
    this.#read = { plain, publications };
    return publications;
  }

  close(): void {
    clearInterval(this.#looker);
    this.#wire?.close();
    for (const { readers } of this.#feeds.values()) {
      for (const subscription of readers.keys()) subscription.close();
    }
    this.#feeds.clear();
    this.#behind.clear();
  }

  #receive(topic: string, payload: Buffer): void {
    for (const reader of this.#feeds.get(topic)?.readers.values() ?? []) reader.hear(payload);
  }

  #proxiesChanged(count: number): void {
    const isNew = count > this.#connections;
    this.#connections = count;
    // Fetch publications that were sent while the new proxy was not connected.
    if (!isNew) return;
    for (const feed of this.#feeds.values()) feed.dueMs = 0;
    this.#lookAgain();
  }

  #lookAgain(): void {
    const { steadyMs } = now();
    let looks = 0;
    for (const subscription of this.#behind) {
      if (looks === looksAtOnce) return;
      looks += 1;
      this.#behind.delete(subscription);
      subscription.fill();
    }
    for (const [topic, feed] of this.#feeds) {
      if (feed.dueMs > steadyMs || looks === looksAtOnce) return;
      looks += 1;
      feed.dueMs = steadyMs + lookAgainMs;
      this.#feeds.delete(topic);
      this.#feeds.set(topic, feed);
      void this.#look(feed);
    }
  }

  /**
   * Lets one reader of a topic fetch what it has missed; the others follow if they have missed more.
   * Each look begins with another reader, because a reader's session may have ended.
   */
  async #look({ readers }: Feed): Promise<void> {
    const [first] = readers.keys();
    const reader = first && readers.get(first);
    if (first === undefined || reader === undefined) return;
    readers.delete(first);
    readers.set(first, reader);
    first.fill();
    await first.settled();
    for (const other of readers.keys()) {
      if (!covers(other.vector, first.place)) this.#behind.add(other);
    }
  }
}

function tooManyTopics(): ProtocolError {
  const most = limits.connectionTopics;
  const sentence = `The sessions of a connection may subscribe to ${most} topics: use one more.`;
  return new ProtocolError("too_large", sentence);
}

/** @returns no publications for invalid bytes, which anybody can send in an open cluster */
function publicationsOf(plain: Uint8Array): readonly Publication[] {
  try {
    return parsePublications(decode(plain, "msgpack", { values: limits.payloadValues }));
  } catch {
    return [];
  }
}
