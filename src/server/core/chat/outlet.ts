import type { UserName } from "../../../protocol/ids.ts";
import { limits } from "../../../protocol/limits.ts";
import type { PlainPublication, Publication } from "../../../protocol/publications.ts";
import { readTopic, replicationTopic, serversTopic } from "../../../protocol/topics.ts";
import type { Auth } from "../accounts/access.ts";
import type { Effect, Effects } from "../effects.ts";
import type { StoredMessage } from "./chat-state.ts";
import { messageBytes, toEntry } from "./history.ts";

export interface Unpublished {
  readonly message: StoredMessage;
  /** For each topic, the `seq` of the origin's previous message on the topic (P3). */
  readonly prevs: ReadonlyMap<string, number>;
  /** The time in the sender's request. Publications of the old form contain this time (P1). */
  readonly timestamp: string | number | undefined;
}

/** Publishes messages on the topics that have subscriptions. */
export class Outlet {
  /** The number of messages that were published, also of those that nobody had subscribed to. */
  published = 0;
  /** The known subscriptions. A subscription matches every topic that begins with its text. */
  readonly #subscriptions = new Set<string>();
  /**
   * The number of subscriptions of each length. `#isWanted` looks up only prefixes of these
   * lengths.
   */
  readonly #lengths = new Map<number, number>();
  readonly #auth: Auth;

  constructor(auth: Auth) {
    this.#auth = auth;
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

  /** @param versionOf returns the version of the credential of a user with a topic */
  publish(
    messages: Iterable<Unpublished>,
    versionOf: (user: UserName) => string | undefined,
    effects: Effects,
  ): void {
    const byTopic = new Map<string, { publications: Publication[]; bytes: number }>();
    const add = (topic: string, payload: Publication[]) => {
      const user = readTopic(topic)?.user;
      const version = user === undefined ? undefined : (versionOf(user) ?? "");
      const effect: Effect = { type: "publish", topic, payload };
      effects.add(version === undefined ? effect : { ...effect, version });
    };
    for (const next of messages) {
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
          add(topic, page.publications);
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
    for (const [topic, { publications }] of byTopic) add(topic, publications);
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
