import type { Subscriber } from "../net/subscriber.ts";
import { decode } from "../protocol/codec.ts";
import { ProtocolError } from "../protocol/errors.ts";
import type { LamportClock } from "../protocol/lamport-clock.ts";
import { limits } from "../protocol/limits.ts";
import { parsePublications } from "../protocol/parse-reply.ts";
import type { Publication } from "../protocol/publications.ts";
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
}

/** Time between two rounds in which subscriptions fetch publications they may have missed. */
const lookAgainMs = 4_000;
/**
 * The most subscriptions that fetch in one round; more requests at once would exceed the
 * connection's pace (A9).
 */
const looksAtOnce = 1_000;

/**
 * The subscriptions of all sessions of a connection. The connection subscribes to a topic once, for
 * all sessions that read the topic.
 */
export class Feeds {
  readonly #clock: LamportClock;
  readonly #wire: Wire | undefined;
  readonly #feeds = new Map<string, Feed>();
  /**
   * All subscriptions. In each round of fetches, the first `looksAtOnce` subscriptions fetch, and
   * move to the end.
   */
  readonly #inTurn = new Set<Subscription>();
  readonly #looker: NodeJS.Timeout;
  #connections = 0;
  #read: { plain: Uint8Array; publications: readonly Publication[] } | undefined;

  constructor(clock: LamportClock, openWire: OpenWire) {
    this.#clock = clock;
    this.#wire = openWire(
      (topic, payload) => this.#receive(topic, payload),
      (count) => this.#proxiesChanged(count),
    );
    this.#looker = setInterval(() => this.#lookAgain(), lookAgainMs);
  }

  /**
   * @throws ProtocolError `too_large` at the limit `connectionTopics`, because the proxy would end
   * the connection at one more topic
   */
  join(topic: string, reader: Reader): Subscription {
    let feed = this.#feeds.get(topic);
    if (feed === undefined) {
      if (this.#feeds.size >= limits.connectionTopics) throw tooManyTopics();
      feed = { readers: new Map(), duplicates: new Duplicates() };
      this.#feeds.set(topic, feed);
      this.#wire?.subscribe(topic);
    }
    const subscription = new Subscription(topic, reader, feed.duplicates);
    feed.readers.set(subscription, reader);
    this.#inTurn.add(subscription);
    return subscription;
  }

  leave(subscription: Subscription): void {
    const { topic } = subscription;
    subscription.close();
    this.#inTurn.delete(subscription);
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
    for (const subscription of this.#inTurn) subscription.close();
    this.#inTurn.clear();
    this.#feeds.clear();
  }

  #receive(topic: string, payload: Buffer): void {
    for (const reader of this.#feeds.get(topic)?.readers.values() ?? []) reader.hear(payload);
  }

  #proxiesChanged(count: number): void {
    const isNew = count > this.#connections;
    this.#connections = count;
    // Fetch publications that were sent while the new proxy was not connected.
    if (isNew) for (const subscription of this.#inTurn) subscription.fill();
  }

  #lookAgain(): void {
    const due = [...this.#inTurn].slice(0, looksAtOnce);
    for (const subscription of due) {
      this.#inTurn.delete(subscription);
      this.#inTurn.add(subscription);
      subscription.fill();
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
