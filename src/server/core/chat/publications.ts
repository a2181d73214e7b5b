import type { ServerName } from "../../../protocol/ids.ts";
import { limits } from "../../../protocol/limits.ts";
import type { PlainPublication, Publication } from "../../../protocol/publications.ts";
import {
  channelTopic,
  readTopic,
  replicationTopic,
  serversTopic,
  userTopic,
} from "../../../protocol/topics.ts";
import type { Vector } from "../../../protocol/vector.ts";
import type { Auth } from "../accounts/access.ts";
import type { Accounts } from "../accounts/accounts.ts";
import type { Effect, Effects } from "../effects.ts";
import type { ChatState, Conversation, StoredMessage } from "./chat-state.ts";
import { messageBytes, toEntry, topicsOf } from "./history.ts";
import { Tail } from "./window.ts";

interface Unpublished {
  readonly message: StoredMessage;
  /** For each topic, the `seq` of this server's previous message on the topic (P3). */
  readonly prevs: ReadonlyMap<string, number>;
  /** The time in the sender's request. Publications of the old form contain this time (P1). */
  readonly timestamp: string | number | undefined;
}

interface PublicationParts {
  readonly name: ServerName;
  readonly chat: ChatState;
  readonly accounts: Accounts;
  readonly auth: Auth;
}

/** Queues the messages that this server made, and publishes them once they are committed (P5). */
export class Publications {
  readonly #waiting = new Tail<Unpublished>();
  /** The number of messages that were published, also of those that nobody had subscribed to. */
  published = 0;
  /** The `seq` of this server's last message on each topic of the second form (P2). */
  readonly #heads = new Map<string, number>();
  /** The known subscriptions. A subscription matches every topic that begins with its text. */
  readonly #subscriptions = new Set<string>();
  /**
   * The number of subscriptions of each length. `#isWanted` looks up only prefixes of these
   * lengths.
   */
  readonly #lengths = new Map<number, number>();
  readonly #name: ServerName;
  readonly #chat: ChatState;
  readonly #accounts: Accounts;
  readonly #auth: Auth;
  #begun = false;

  constructor({ name, chat, accounts, auth }: PublicationParts) {
    this.#auth = auth;
    this.#name = name;
    this.#chat = chat;
    this.#accounts = accounts;
  }

  /** The number of messages that wait until they are committed. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** The number of topics with at least one subscriber. */
  get topics(): number {
    return this.#subscriptions.size;
  }

  subscribe(topic: string, active: boolean): void {
    if (topic === replicationTopic || topic === serversTopic) return;
    if (active === this.#subscriptions.has(topic)) return;
    if (active) this.#subscriptions.add(topic);
    else this.#subscriptions.delete(topic);
    const count = (this.#lengths.get(topic.length) ?? 0) + (active ? 1 : -1);
    if (count > 0) this.#lengths.set(topic.length, count);
    else this.#lengths.delete(topic.length);
  }

  /** Queues this server's messages from earlier runs that are not committed yet. */
  begin(committed: Vector): void {
    if (this.#begun) return;
    this.#begun = true;
    const done = committed[this.#name] ?? 0;
    const left = new Map<number, { message: StoredMessage; prevs: Map<string, number> }>();
    const collect = (topic: string, { byServer }: Conversation) => {
      let prev = 0;
      for (const message of byServer.get(this.#name)?.slice() ?? []) {
        const { seq } = message;
        const unpublished = left.get(seq) ?? { message, prevs: new Map() };
        if (seq > done) left.set(seq, unpublished);
        unpublished.prevs.set(topic, prev);
        prev = seq;
      }
      if (prev > 0) this.#heads.set(topic, prev);
    };
    const { channels, users } = this.#chat;
    for (const { name, conversation } of channels.values()) {
      collect(channelTopic(name), conversation);
    }
    for (const { name, conversation } of users.values()) collect(userTopic(name), conversation);
    const inOrder = [...left.values()].sort((a, b) => a.message.seq - b.message.seq);
    for (const unpublished of inOrder) {
      this.#waiting.push({ ...unpublished, timestamp: undefined });
    }
  }

  /**
   * Queues a message that this server has just made.
   * @param timestamp the time in the sender's request
   */
  add(message: StoredMessage, timestamp: string | number | undefined): void {
    const prevs = new Map<string, number>();
    for (const topic of topicsOf(message)) {
      prevs.set(topic, this.#heads.get(topic) ?? 0);
      this.#heads.set(topic, message.seq);
    }
    this.#waiting.push({ message, prevs, timestamp });
  }

  /**
   * Publishes the queued messages that are now committed, on the topics that have subscriptions.
   */
  publish(committed: Vector, effects: Effects): void {
    const done = committed[this.#name] ?? 0;
    const byTopic = new Map<string, { publications: Publication[]; bytes: number }>();
    for (let next = this.#waiting.at(0); next !== undefined; next = this.#waiting.at(0)) {
      if (next.message.seq > done) break;
      this.#waiting.shift();
      this.published += 1;
      const entry = toEntry(next.message);
      for (const [topic, prev] of next.prevs) {
        if (!this.#isWanted(topic)) continue;
        const page = byTopic.get(topic) ?? { publications: [], bytes: 0 };
        page.publications.push({ ...entry, prev });
        page.bytes += messageBytes(next.message);
        if (page.bytes < limits.pageBytes) {
          byTopic.set(topic, page);
        } else {
          effects.add(this.#effect(topic, page.publications));
          byTopic.delete(topic);
        }
      }
      // Publications of the old form are never encrypted, so a cluster with accounts does not send
      // them (X5).
      const plain = "channel" in entry ? entry.channel : entry.dst;
      if (this.#auth === "open" && this.#isWanted(plain)) {
        effects.add({ type: "publish", topic: plain, payload: oldForm(next, entry) });
      }
    }
    for (const [topic, { publications }] of byTopic) {
      effects.add(this.#effect(topic, publications));
    }
  }

  #effect(topic: string, payload: Publication[]): Effect {
    const user = readTopic(topic)?.user;
    if (user === undefined) return { type: "publish", topic, payload };
    const version = this.#accounts.credential(user)?.version ?? "";
    return { type: "publish", topic, payload, version };
  }

  /**
   * Whether any subscription matches the topic. ZeroMQ matches subscriptions by prefix (P2, P4).
   */
  #isWanted(topic: string): boolean {
    for (const length of this.#lengths.keys()) {
      if (length <= topic.length && this.#subscriptions.has(topic.slice(0, length))) return true;
    }
    return false;
  }
}

function oldForm({ timestamp }: Unpublished, entry: ReturnType<typeof toEntry>): PlainPublication {
  const time = timestamp ?? entry.timestamp;
  if ("channel" in entry) {
    const { user, message, clock } = entry;
    return { user, message, timestamp: time, clock };
  }
  const { src, dst, message, clock, id, server, seq } = entry;
  return { src, from: src, message, timestamp: time, clock, dst, id, server, seq };
}
