import type { Exchange } from "../forwarder/forwarder.ts";
import { messageBounds } from "../net/listener.ts";
import type { Peer } from "../net/wire.ts";
import type { Metrics } from "../platform/metrics.ts";
import { durations, limits } from "../protocol/limits.ts";
import { replicationTopic } from "../protocol/topics.ts";
import { Outgoing } from "../zmtp/connection.ts";
import { Refused } from "../zmtp/refused.ts";
import { Subscriptions } from "./core/subscriptions.ts";
import { WantedTopics } from "./core/wanted-topics.ts";

const subscribe = 1;
const cancel = 0;

const topicBytes = 1 + limits.topicBytes;

/** Passes publications to subscribers, and the wanted topics to publishers. */
export class Hub implements Exchange {
  readonly front: Exchange["front"] = {
    socketType: "XSUB",
    peers: ["PUB", "XPUB"],
    bounds: messageBounds,
    onPeer: (publisher) => this.#welcome(publisher),
    onMessage: (_publisher, frames) => this.#publish(frames),
    onGone: (publisher) => this.#publishers.delete(publisher),
  };
  readonly back: Exchange["back"] = {
    socketType: "XPUB",
    peers: ["SUB", "XSUB"],
    bounds: {
      // A subscription may arrive as a command instead of a message (ZMTP 3.1), so the bound
      // includes the command's name.
      frameBytes: "SUBSCRIBE".length + topicBytes,
      frames: limits.messageFrames,
      messageBytes: topicBytes,
    },
    onPeer: () => {},
    onMessage: (subscriber, frames) => this.#take(subscriber, frames),
    onGone: (subscriber) => this.#dropAll(subscriber),
  };
  readonly #publishers = new Set<Peer>();
  readonly #subscriptions = new Subscriptions<Peer>();
  readonly #wanted = new WantedTopics();
  /**
   * How many changes may be sent before `#pause` ends. The number is limited, because guests may
   * subscribe as often as they like.
   */
  #newsLeft: number = limits.topicNews;
  #pause: NodeJS.Timeout | undefined;
  #publications = 0;
  #deliveries = 0;

  measure(metrics: Metrics): void {
    metrics.counter(
      { name: "tertulia_publications_total", help: "Messages that servers sent to the proxy." },
      () => this.#publications,
    );
    metrics.counter(
      { name: "tertulia_deliveries_total", help: "Messages that the proxy passed to subscribers." },
      () => this.#deliveries,
    );
    metrics.gauge(
      { name: "tertulia_subscriptions", help: "Subscriptions of all connections." },
      () => this.#subscriptions.count,
    );
  }

  #welcome(publisher: Peer): void {
    this.#publishers.add(publisher);
    // Each publisher is told that the replication topic is wanted, even if no connection has
    // subscribed to it. So no guest can end the exchange of messages between members (Z7).
    for (const topic of new Set([replicationTopic, ...this.#wanted.told])) {
      publisher.send(told(subscribe, topic));
    }
  }

  #publish(frames: Buffer[]): void {
    const [topic] = frames;
    if (topic === undefined) return;
    const message = new Outgoing(frames);
    this.#publications += 1;
    for (const subscriber of this.#subscriptions.listeners(topic)) {
      this.#deliveries += 1;
      subscriber.send(message);
    }
  }

  /**
   * Handles subscriptions and cancellations.
   * @throws Refused if a bound of topics is exceeded
   */
  #take(subscriber: Peer, frames: Buffer[]): void {
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

  /**
   * Records whether a topic is wanted. The replication topic is always wanted, so its changes are
   * ignored.
   */
  #note(topic: string, isWanted: boolean): void {
    if (topic === replicationTopic) return;
    this.#wanted.note(topic, isWanted);
    this.#tell();
  }

  /**
   * Sends changes to publishers at once, but at most `limits.topicNews` changes each
   * `durations.topicNewsMs`. A subscriber of a newly wanted topic misses publications until the
   * topic's change is sent.
   */
  #tell(): void {
    const news = this.#wanted.take(this.#newsLeft);
    if (news.length === 0) return;
    this.#newsLeft -= news.length;
    this.#pause ??= setTimeout(() => this.#goOn(), durations.topicNewsMs).unref();
    for (const [topic, isWanted] of news) {
      const message = told(isWanted ? subscribe : cancel, topic);
      for (const publisher of this.#publishers) {
        // A publisher whose send buffer is full would never get this change. So its connection
        // ends, and after it reconnects it gets all topics.
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
}

function told(what: typeof subscribe | typeof cancel, topic: string): Outgoing {
  return new Outgoing([Buffer.concat([Buffer.from([what]), Buffer.from(topic, "latin1")])]);
}
