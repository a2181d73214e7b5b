import { Publisher } from "../net/publisher.ts";
import type { Seals } from "../net/seal.ts";
import { Subscriber } from "../net/subscriber.ts";
import { encode } from "../protocol/codec.ts";
import { encodeReplication } from "../protocol/encode-peer.ts";
import { PeerMessageError } from "../protocol/errors.ts";
import { parseReplication } from "../protocol/parse-peer.ts";
import type { ReplicationMessage } from "../protocol/peer-messages.ts";
import { replicationTopic, serversTopic } from "../protocol/topics.ts";
import type { Auth } from "./core/accounts/access.ts";
import type { Effect } from "./core/effects.ts";
import { assertSender } from "./peer-wire.ts";
import type { TopicKeys } from "./topic-keys.ts";

export interface BusParts {
  readonly auth: Auth;
  /**
   * The endpoints to which servers publish (`proxiesIn`), and the endpoints to which subscribers
   * connect (`proxies`).
   */
  readonly proxiesIn: readonly string[];
  readonly proxies: readonly string[];
  /** Makes and checks the seals of messages on the topic `replication`. */
  readonly seals: Seals;
  readonly topicKeys: TopicKeys;
  /** The cluster's time, in milliseconds since 1970. */
  correctedMs(): number;
  onReplication(message: ReplicationMessage): void;
  onSubscription(topic: string, active: boolean): void;
  onDropped(error: unknown): void;
}

/** Publishes to clients, and exchanges messages with the other servers, over the proxies. */
export class Bus {
  readonly #parts: BusParts;
  readonly #publisher: Publisher;
  readonly #subscriber: Subscriber;
  /** The topics with at least one subscriber. */
  readonly topics = new Set<string>();

  constructor(parts: BusParts) {
    this.#parts = parts;
    this.#publisher = new Publisher(parts.proxiesIn, (topic, active) => {
      if (active) this.topics.add(topic);
      else this.topics.delete(topic);
      parts.onSubscription(topic, active);
    });
    this.#subscriber = new Subscriber(parts.proxies, (topic, payload, seal) => {
      if (topic === replicationTopic) this.#hear(payload, seal);
    });
    this.#subscriber.subscribe(replicationTopic);
  }

  #hear(sent: Buffer, seal: Buffer | undefined): void {
    const { auth, seals, topicKeys, onDropped, onReplication } = this.#parts;
    const sender = seals.hear(replicationTopic, sent, seal);
    if (sender === undefined) return;
    const payload = auth === "open" ? sent : topicKeys.openReplication(sent);
    if (payload === undefined) {
      return onDropped(new PeerMessageError("its server runs with another --auth"));
    }
    let message: ReplicationMessage;
    try {
      message = parseReplication(payload);
      assertSender(message.server, sender);
    } catch (error) {
      return onDropped(error);
    }
    onReplication(message);
  }

  /**
   * Sends a message to the other servers, with a seal (X1). Messages on other topics have no seal,
   * because their subscribers may lack the secret to check it (P1, P6).
   */
  broadcast(message: ReplicationMessage): void {
    const { auth, seals, topicKeys, correctedMs } = this.#parts;
    const plain = encodeReplication(message);
    // In a cluster with accounts, nothing of the chat crosses a proxy unencrypted (X5).
    const payload = auth === "open" ? plain : topicKeys.sealReplication(plain, correctedMs());
    this.#publisher.publish(replicationTopic, payload, seals.seal(replicationTopic, payload));
  }

  publish({ topic, payload, version = "" }: Effect & { readonly type: "publish" }): void {
    const { auth, topicKeys, correctedMs } = this.#parts;
    const plain = encode(payload);
    // Messages on the topic `servers` only name the coordinator. They are not secret, and clients
    // of the original protocol can read only unencrypted messages (P6).
    const isOpen = auth === "open" || topic === serversTopic;
    const sealing = { topic, version, plain };
    this.#publisher.publish(
      topic,
      isOpen ? plain : topicKeys.sealPublication(sealing, correctedMs()),
    );
  }

  async close(): Promise<void> {
    this.#subscriber.close();
    await this.#publisher.close();
  }
}
