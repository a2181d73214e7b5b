import type { Forwarder, ForwarderOptions, ForwarderRole } from "../forwarder/forwarder.ts";
import { Listener, messageBounds } from "../net/listener.ts";
import type { Peer } from "../net/wire.ts";
import { now } from "../platform/clock.ts";
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
    // A subscription may come as a command (ZMTP 3.1), which is longer.
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
    const timer = setInterval(() => hub.tick(), durations.topicLingerMs / 4);
    return {
      front: front.endpoint,
      back: back.endpoint,
      close: async () => {
        clearInterval(timer);
        await Promise.all([front.close(), back.close()]);
      },
    };
  } catch (error) {
    await front.close();
    throw error;
  }
}

const subscribe = 1;
const cancel = 0;

/** The publishers and subscribers of one proxy, and what goes between them. */
class Hub {
  readonly #options: ForwarderOptions;
  readonly #publishers = new Set<Peer>();
  readonly #subscriptions = new Subscriptions<Peer>();
  readonly #wanted = new WantedTopics();
  /** Subscribers that are not read until their address has kept its pace. */
  readonly #paused = new Set<Peer>();
  #subscribers = 0;

  constructor(options: ForwarderOptions) {
    this.#options = options;
  }

  publisherCame(publisher: Peer): void {
    this.#publishers.add(publisher);
    // Members hear each other, whatever guests have subscribed to (Z7).
    const { topics } = this.#subscriptions;
    for (const topic of new Set([replicationTopic, ...topics, ...this.#wanted.ending])) {
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
    this.#paused.delete(subscriber);
    this.#drop(subscriber);
    this.#subscribers -= 1;
    this.#options.onConnections("back", this.#subscribers);
  }

  /** @throws Refused above the bounds of topics */
  take(subscriber: Peer, frames: Buffer[]): void {
    const { steadyMs } = now();
    for (const frame of frames) {
      const topic = frame.toString("latin1", 1);
      if (frame[0] === cancel) {
        if (this.#subscriptions.cancel(subscriber, topic)) this.#wanted.end(topic, steadyMs);
      } else if (frame[0] === subscribe) {
        this.#subscribe(subscriber, topic, steadyMs);
      }
    }
  }

  /** Ends what nobody wants any more, and reads on of whom it can. */
  tick(): void {
    const { steadyMs } = now();
    for (const topic of this.#wanted.over(steadyMs)) this.#tell(cancel, topic);
    for (const subscriber of this.#paused) {
      if (this.#wanted.left(subscriber.address, steadyMs) < 0) continue;
      this.#paused.delete(subscriber);
      subscriber.resume();
    }
  }

  #subscribe(subscriber: Peer, topic: string, steadyMs: number): void {
    if (this.#subscriptions.has(subscriber, topic)) return;
    this.#makeRoom(subscriber);
    if (!this.#subscriptions.add(subscriber, topic)) return;
    const { address } = subscriber;
    if (!this.#wanted.begin(topic, address, steadyMs)) return;
    this.#tell(subscribe, topic);
    const left = this.#wanted.left(address, steadyMs);
    if (left >= 0) return;
    if (left < -limits.addressTopicBurst) throw new Refused("tooLarge", "too many new topics");
    this.#paused.add(subscriber);
    subscriber.pause();
  }

  /** Before one more topic: cuts off the connection that has too many (Z7). */
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
    this.#drop(largest);
  }

  #drop(subscriber: Peer): void {
    const { steadyMs } = now();
    for (const topic of this.#subscriptions.drop(subscriber)) this.#wanted.end(topic, steadyMs);
  }

  /** Tells publishers of a topic; `replication` they were told at once, for good. */
  #tell(what: typeof subscribe | typeof cancel, topic: string): void {
    const message = told(what, topic);
    for (const publisher of this.#publishers) {
      // It would never hear of what it misses now. When it connects again it is told all topics.
      if (publisher.isFull) publisher.end();
      else publisher.send(message);
    }
  }
}

function told(what: typeof subscribe | typeof cancel, topic: string): Outgoing {
  return new Outgoing([Buffer.concat([Buffer.from([what]), Buffer.from(topic, "latin1")])]);
}
