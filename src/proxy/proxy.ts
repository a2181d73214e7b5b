import type { Forwarder, ForwarderOptions, ForwarderRole } from "../forwarder/forwarder.ts";
import { Listener, messageBounds } from "../net/listener.ts";
import type { Peer } from "../net/wire.ts";
import { durations, limits } from "../protocol/limits.ts";
import { replicationTopic } from "../protocol/topics.ts";
import { Outgoing } from "../zmtp/connection.ts";
import { Refused } from "../zmtp/refused.ts";
import { Subscriptions } from "./core/subscriptions.ts";
import { WantedTopics } from "./core/wanted-topics.ts";

/** Hands publications of the servers to all that have subscribed (P4). */
export const proxy: ForwarderRole = {
  role: "proxy",
  ends: { front: "tcp://127.0.0.1:5557", back: "tcp://127.0.0.1:5558" },
  members: "front",
  start: startProxy,
  report(log, side, { now }) {
    if (side === "front") log.info({ publishers: now }, "Publishers");
    else log.debug({ subscribers: now }, "Subscribers");
  },
};

export async function startProxy(options: ForwarderOptions): Promise<Forwarder> {
  const hub = new Hub(options);
  const front = await Listener.bind(options.front, {
    socketType: "XSUB",
    peers: ["PUB", "XPUB"],
    bounds: messageBounds,
    entrance: options.entrance.front,
    onPeer: (publisher) => hub.publisherCame(publisher),
    onMessage: (_publisher, frames) => hub.publish(frames),
    onGone: (publisher) => hub.publisherWent(publisher),
  });
  try {
    const topicBytes = 1 + limits.topicBytes;
    // As a command, too (ZMTP 3.1).
    const frameBytes = "SUBSCRIBE".length + topicBytes;
    const back = await Listener.bind(options.back, {
      socketType: "XPUB",
      peers: ["SUB", "XSUB"],
      bounds: { frameBytes, frames: limits.messageFrames, messageBytes: topicBytes },
      entrance: options.entrance.back,
      onPeer: () => hub.subscriberCame(),
      onMessage: (subscriber, frames) => hub.take(subscriber, frames),
      onGone: (subscriber) => hub.subscriberWent(subscriber),
    });
    return {
      front: front.endpoint,
      back: back.endpoint,
      close: async () => {
        await Promise.all([front.close(), back.close()]);
        hub.close();
      },
    };
  } catch (error) {
    await front.close();
    throw error;
  }
}

const subscribe = 1;
const cancel = 0;

/** The publishers, the subscribers, and what each subscriber hears. */
class Hub {
  readonly #options: ForwarderOptions;
  readonly #publishers = new Set<Peer>();
  readonly #subscriptions = new Subscriptions<Peer>();
  readonly #wanted = new WantedTopics();
  /** How much may still be told until then: guests change what they want as often as they like. */
  #newsLeft: number = limits.topicNews;
  #pause: NodeJS.Timeout | undefined;
  #subscribers = 0;

  constructor(options: ForwarderOptions) {
    this.#options = options;
  }

  publisherCame(publisher: Peer): void {
    this.#publishers.add(publisher);
    // Members hear each other, whatever guests have subscribed to (Z7).
    for (const topic of new Set([replicationTopic, ...this.#wanted.told])) {
      publisher.send(told(subscribe, topic));
    }
    this.#options.onConnections("front", this.#publishers.size);
  }

  publisherWent(publisher: Peer): void {
    this.#publishers.delete(publisher);
    this.#options.onConnections("front", this.#publishers.size);
  }

  publish(frames: Buffer[]): void {
    const [topic] = frames;
    if (topic === undefined) return;
    const message = new Outgoing(frames);
    for (const subscriber of this.#subscriptions.listeners(topic)) subscriber.send(message);
  }

  subscriberCame(): void {
    this.#subscribers += 1;
    this.#options.onConnections("back", this.#subscribers);
  }

  subscriberWent(subscriber: Peer): void {
    this.#dropAll(subscriber);
    this.#subscribers -= 1;
    this.#options.onConnections("back", this.#subscribers);
  }

  /** @throws Refused above the bounds of topics */
  take(subscriber: Peer, frames: Buffer[]): void {
    for (const frame of frames) {
      const topic = frame.toString("latin1", 1);
      if (frame[0] === cancel) {
        if (this.#subscriptions.cancel(subscriber, topic)) this.#note(topic, false);
      } else if (frame[0] === subscribe) {
        if (this.#subscriptions.has(subscriber, topic)) continue;
        this.#makeRoom(subscriber);
        if (this.#subscriptions.add(subscriber, topic)) this.#note(topic, true);
      }
    }
  }

  #makeRoom(subscriber: Peer): void {
    const { size, count } = this.#subscriptions;
    const isGreedy = this.#subscriptions.countOf(subscriber) >= limits.connectionTopics;
    if (isGreedy) throw new Refused("tooLarge", "too many topics of one connection");
    const isRoom = size.topics < limits.topics && size.bytes < limits.topicBytesOfAll;
    if (isRoom && count < limits.subscriptions) return;
    const largest = this.#subscriptions.largest(({ address }) => address);
    if (largest === undefined || largest === subscriber) {
      throw new Refused("tooLarge", "the most topics of all");
    }
    largest.refuse("tooLarge");
    this.#dropAll(largest);
  }

  #dropAll(subscriber: Peer): void {
    for (const topic of this.#subscriptions.drop(subscriber)) this.#note(topic, false);
  }

  /** That members are heard never depends on who subscribes. */
  #note(topic: string, isWanted: boolean): void {
    if (topic === replicationTopic) return;
    this.#wanted.note(topic, isWanted);
    this.#tell();
  }

  /** At once, up to so many a moment: a subscription that waited would miss what is published next. */
  #tell(): void {
    const news = this.#wanted.take(this.#newsLeft);
    if (news.length === 0) return;
    this.#newsLeft -= news.length;
    this.#pause ??= setTimeout(() => this.#goOn(), durations.topicNewsMs);
    for (const [topic, isWanted] of news) {
      const message = told(isWanted ? subscribe : cancel, topic);
      for (const publisher of this.#publishers) {
        // It would never hear of what it misses now. When it connects again it is told all topics.
        if (publisher.isFull) publisher.end();
        else publisher.send(message);
      }
    }
  }

  #goOn(): void {
    this.#pause = undefined;
    this.#newsLeft = limits.topicNews;
    this.#tell();
  }

  close(): void {
    clearTimeout(this.#pause);
  }
}

function told(what: typeof subscribe | typeof cancel, topic: string): Outgoing {
  return new Outgoing([Buffer.concat([Buffer.from([what]), Buffer.from(topic, "latin1")])]);
}
