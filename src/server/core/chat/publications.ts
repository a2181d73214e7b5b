import type { ServerName } from "../../../protocol/ids.ts";
import { channelTopic, userTopic } from "../../../protocol/topics.ts";
import type { Vector } from "../../../protocol/vector.ts";
import type { Auth } from "../accounts/access.ts";
import type { Accounts } from "../accounts/accounts.ts";
import type { Effects } from "../effects.ts";
import type { ChatState, Conversation, StoredMessage } from "./chat-state.ts";
import { topicsOf } from "./history.ts";
import { Outlet, type Unpublished } from "./outlet.ts";
import { Tail } from "./window.ts";

interface PublicationParts {
  readonly name: ServerName;
  readonly chat: ChatState;
  readonly accounts: Accounts;
  readonly auth: Auth;
}

/** Queues the messages that this server made, and publishes them once they are committed (P5). */
export class Publications {
  readonly #waiting = new Tail<Unpublished>();
  /** The `seq` of this server's last message on each topic of the second form (P2). */
  readonly #heads = new Map<string, number>();
  readonly #name: ServerName;
  readonly #chat: ChatState;
  readonly #accounts: Accounts;
  readonly outlet: Outlet;
  #begun = false;

  constructor({ name, chat, accounts, auth }: PublicationParts) {
    this.outlet = new Outlet(auth);
    this.#name = name;
    this.#chat = chat;
    this.#accounts = accounts;
  }

  /** The number of messages that wait until they are committed. */
  get waiting(): number {
    return this.#waiting.length;
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
    if ((this.#waiting.at(0)?.message.seq ?? Number.POSITIVE_INFINITY) > done) return;
    const due: Unpublished[] = [];
    for (let next = this.#waiting.at(0); next !== undefined; next = this.#waiting.at(0)) {
      if (next.message.seq > done) break;
      this.#waiting.shift();
      due.push(next);
    }
    this.outlet.publish(due, (user) => this.#accounts.credential(user)?.version, effects);
  }
}
