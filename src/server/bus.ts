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
  /** Where each proxy takes publications, and where it gives them out. */
  readonly proxiesIn: readonly string[];
  readonly proxies: readonly string[];
  /** Those of the topic `replication`. */
  readonly seals: Seals;
  readonly topicKeys: TopicKeys;
  /** The cluster's time. */
  correctedMs(): number;
  onReplication(message: ReplicationMessage): void;
  onSubscription(topic: string, active: boolean): void;
  onDropped(error: unknown): void;
}

/** What goes over the proxies: publications to clients, and the replicas' words to each other. */
export class Bus {
  readonly #parts: BusParts;
  readonly #publisher: Publisher;
  readonly #subscriber: Subscriber;
  /** Topics that are subscribed to. */
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

  /** Messages among members have a seal (X1); the other topics are for any listener (P1, P6). */
  broadcast(message: ReplicationMessage): void {
    const { auth, seals, topicKeys, correctedMs } = this.#parts;
    const plain = encodeReplication(message);
    // Where accounts are, nothing of the chat goes over a proxy in clear (X5).
    const payload = auth === "open" ? plain : topicKeys.sealReplication(plain, correctedMs());
    this.#publisher.publish(replicationTopic, payload, seals.seal(replicationTopic, payload));
  }

  publish({ topic, payload, version = "" }: Effect & { readonly type: "publish" }): void {
    const { auth, topicKeys, correctedMs } = this.#parts;
    const plain = encode(payload);
    // Which server leads is no secret, and foreign listeners know the form of it (P6).
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
