import { Connection } from "../../client/connection.ts";
import type { Session } from "../../client/session.ts";
import { pause } from "../../platform/clock.ts";
import type { Random } from "../../platform/random.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import {
  type ChannelName,
  parseChannelName,
  parseUserName,
  type UserName,
} from "../../protocol/ids.ts";
import type { Entry } from "../../protocol/publications.ts";
import type { ConversationName } from "../../protocol/topics.ts";
import type { Delivery, Read, Seen, Write } from "./core/checker.ts";

export interface LoadOptions {
  readonly brokers: readonly string[];
  readonly proxies: readonly string[];
  readonly writesPerSecond: number;
  readonly random: Random;
  /** Milliseconds since the load began. */
  readonly elapsedMs: () => number;
}

/** The password of every writer. */
const password = "a password of a writer";

interface Writer {
  readonly user: UserName;
  readonly connection: Connection;
  readonly session: Session;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

const channel: ChannelName = parseChannelName("geral");
const channelConversation = `#${channel}`;

/** The users. Each has its own connection, and writes to the channel and to the other users. */
const userNames = ["ana", "bia", "caio", "duda"].map((name) => parseUserName(name));
/** The share of writes that go to the channel. */
const channelPart = 0.75;
/**
 * Returns how long a user waits for an answer, in milliseconds. The user `duda` gives up soon, so
 * that some writes are indeterminate.
 */
const patienceMs = (user: UserName) => (user === "duda" ? 2_500 : 60_000);
/** The most open writes of one connection: about as many as a user sends in an outage of 20 s. */
const mostOpen = 500;
const readEveryMs = 1_000;
const readEntries = 300;

export const conversations: readonly string[] = [
  channelConversation,
  ...userNames.map((user) => `@${user}`),
];

/** Converts a conversation's text to the form of the client library. */
export function nameOf(conversation: string): ConversationName {
  const name = conversation.slice(1);
  return conversation.startsWith("#")
    ? { channel: parseChannelName(name) }
    : { user: parseUserName(name) };
}

/** Runs writers, readers and a subscriber, and records what they sent and received. */
export class Load {
  readonly writes: Write[] = [];
  readonly reads: Read[] = [];
  readonly deliveries: Delivery[];
  readonly #options: LoadOptions;
  #writers: readonly Writer[] = [];
  readonly #tokens = new Map<UserName, string>();
  readonly #listener: Connection;
  readonly #stopping = new AbortController();
  readonly #open = new Set<Promise<void>>();
  readonly #heard = new Map<string, Seen[]>();
  #lanes: Promise<unknown> = Promise.resolve();

  constructor(options: LoadOptions) {
    this.#options = options;
    const { brokers, proxies } = options;
    this.#listener = new Connection({ brokers, proxies });
    this.deliveries = conversations.map((conversation) => {
      const entries: Seen[] = [];
      this.#heard.set(conversation, entries);
      return { subscriber: "the subscriber", conversation, entries };
    });
  }

  /** Creates the users and the channel, and subscribes to every conversation. */
  async prepare(): Promise<void> {
    const { brokers } = this.#options;
    for (const user of userNames) {
      const onToken = (token: string) => void this.#tokens.set(user, token);
      const patient = this.#listener.session({ onToken });
      await patient.register(user, password);
      await patient.login(user, password);
    }
    this.#writers = userNames.map((user) => {
      const deadlineMs = patienceMs(user);
      const connection = new Connection({ brokers, proxies: [], deadlineMs });
      return { user, connection, session: connection.session({ token: this.#tokens.get(user) }) };
    });
    await this.#writers[0]?.session.createChannel(channel);
    for (const [conversation, heard] of this.#heard) {
      const hear = (entry: Entry) => void heard.push(seenOf(entry));
      const listener = this.#listener.session({ token: this.tokenOf(conversation) });
      await listener.subscribe(nameOf(conversation), hear, { since: {} });
    }
  }

  /** A token of a user who may read the conversation. */
  tokenOf(conversation: string): string | undefined {
    const name = nameOf(conversation);
    const [first] = userNames;
    return this.#tokens.get("user" in name ? name.user : (first as UserName));
  }

  start(): void {
    const lanes = this.#writers.flatMap((writer) => [
      this.#keepWriting(writer),
      this.#keepReading(writer),
    ]);
    this.#lanes = Promise.all(lanes);
  }

  /**
   * Stops sending new writes, and waits until every sent write is answered or given up by its user.
   */
  async finish(): Promise<void> {
    this.#stopping.abort();
    await this.#lanes;
    await Promise.all(this.#open);
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    for (const { connection } of this.#writers) connection.close();
    this.#listener.close();
  }

  async #keepWriting({ user, connection, session }: Writer): Promise<void> {
    const { random, writesPerSecond } = this.#options;
    const meanMs = (1_000 * userNames.length) / writesPerSecond;
    for (let number = 1; !this.#stopping.signal.aborted; number += 1) {
      if (connection.open < mostOpen) this.#write(user, session, number);
      await pause(2 * meanMs * random(), this.#stopping.signal);
    }
  }

  #write(user: UserName, session: Session, number: number): void {
    const { random, elapsedMs } = this.#options;
    const others = userNames.filter((other) => other !== user);
    const isPublic = random() < channelPart;
    const other = others[Math.floor(random() * others.length)] ?? user;
    const message = `${user} ${number}`;
    const write: Mutable<Write> = {
      message,
      client: user,
      conversations: isPublic ? [channelConversation] : [`@${other}`, `@${user}`],
      sentMs: elapsedMs(),
    };
    this.writes.push(write);
    const receipt = isPublic ? session.publish(channel, message) : session.message(other, message);
    const settled = receipt.then(
      ({ clock }) => {
        write.acknowledged = { atMs: elapsedMs(), clock };
      },
      (error: unknown) => {
        if (!(error instanceof ProtocolError)) throw error;
        // A write that ends with a temporary error may have taken effect in an earlier attempt, so
        // it stays indeterminate.
        if (!error.retry) write.refused = error.code;
      },
    );
    this.#open.add(settled);
    void settled.finally(() => this.#open.delete(settled));
  }

  async #keepReading({ user, session }: Writer): Promise<void> {
    const { elapsedMs } = this.#options;
    while (!this.#stopping.signal.aborted) {
      const askedMs = elapsedMs();
      try {
        const { entries, next } = await session.history({ channel }, { limit: readEntries });
        this.reads.push({
          client: user,
          conversation: channelConversation,
          askedMs,
          entries: entries.map(seenOf),
          isWhole: next === undefined,
        });
      } catch (error) {
        // No server answered the read in time, which breaks no rule.
        if (!(error instanceof ProtocolError)) throw error;
      }
      await pause(readEveryMs, this.#stopping.signal);
    }
  }
}

export function seenOf({ message, server, seq, clock }: Seen): Seen {
  return { message, server, seq, clock };
}
