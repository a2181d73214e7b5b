import type { Refusal } from "../net/handshake.ts";
import { Subscriber } from "../net/subscriber.ts";
import { now } from "../platform/clock.ts";
import { randomHex } from "../platform/random.ts";
import type { PresenceState, Present, Receipt, Service } from "../protocol/client-messages.ts";
import { decode } from "../protocol/codec.ts";
import type { ProtocolError } from "../protocol/errors.ts";
import type { ChannelName, RequestId, ServerName, UserName } from "../protocol/ids.ts";
import { LamportClock } from "../protocol/lamport-clock.ts";
import { durations, limits } from "../protocol/limits.ts";
import { parsePublications } from "../protocol/parse-reply.ts";
import type { Entry } from "../protocol/publications.ts";
import type { HistoryPage, Replies, Reply } from "../protocol/replies.ts";
import type { HistoryOptions, RequestData } from "../protocol/request-data.ts";
import { type ConversationName, conversationTopic } from "../protocol/topics.ts";
import { type MutableVector, raise, type Vector } from "../protocol/vector.ts";
import type { ConnectionState } from "./connection-watch.ts";
import { RequestQueue } from "./request-queue.ts";
import { subjectOf } from "./session-token.ts";
import { type Page, Subscription } from "./subscription.ts";
import { TopicKeyring } from "./topic-keyring.ts";

export interface ChatClientOptions {
  /** Endpoints of all brokers; `tcp://host:port`. */
  readonly brokers: readonly string[];
  /** Endpoints of all proxies; may be empty for a client that does not subscribe. */
  readonly proxies: readonly string[];
  /** The Lamport clock to go on from. */
  readonly clock?: number;
  /** Milliseconds until a request is given up; 15,000 unless told. */
  readonly deadlineMs?: number;
  readonly onState?: (state: ConnectionState) => void;
  /** No broker is there; the next try is in so many milliseconds. */
  readonly onRetry?: (inMs: number) => void;
  /** Milliseconds between tries to connect, at most; 250 unless told. */
  readonly reconnectMaxMs?: number;
  /** Of a session that was begun before, where accounts are. */
  readonly token?: string | undefined;
  /** Told of each token that a server gives, to be kept for the next process. */
  readonly onToken?: (token: string) => void;
  /** A subscription isn't served any more, by an error that no retry mends: told at each try. */
  readonly onRefused?: (error: ProtocolError) => void;
}

export interface SubscribeOptions {
  /** Entries of the past to begin with; none unless told. */
  readonly last?: number;
  /** Go on behind this vector instead: nothing since then is missed. */
  readonly since?: Vector;
  /** Of a user, also what he sends himself, from wherever. */
  readonly own?: boolean;
}

/** The services whose answer is a receipt. */
type Write = { [S in Service]: Replies[S] extends { entry: Receipt } ? S : never }[Service];

const defaultDeadlineMs = 15_000;
/** How often a quiet subscription asks whether it missed something. */
const lookAgainMs = 4_000;

/**
 * A client of the cluster: requests with retries that take effect once (C1, C2), subscriptions that
 * deliver exactly once (C3). Every method throws a ProtocolError with the server's code (C4), and a
 * TypeError that names the argument if it is called wrongly. `parseUserName` and `parseChannelName`
 * of `protocol/ids.ts` make names of text.
 */
export class ChatClient implements AsyncDisposable {
  readonly clock: LamportClock;
  /** What this client has seen, of whatever conversation (R9). */
  readonly #seen: MutableVector = {};
  readonly #requests: RequestQueue;
  readonly #subscriber: Subscriber | undefined;
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #deadlineMs: number;
  readonly #looker: NodeJS.Timeout;
  #proxyConnections = 0;
  #token: string | undefined;
  /** Who logged in last. */
  #user: UserName | undefined;
  /** Tells this client from others of its user's. */
  readonly #name = randomHex(8);
  readonly #keys: TopicKeyring;
  readonly #onRefused: (error: ProtocolError) => void;

  constructor(options: ChatClientOptions) {
    const { brokers, proxies, clock = 0, onState = () => {} } = options;
    this.clock = new LamportClock(clock);
    this.#deadlineMs = options.deadlineMs ?? defaultDeadlineMs;
    this.#token = options.token;
    this.#onRefused = options.onRefused ?? (() => {});
    this.#keys = new TopicKeyring((topic) => this.ask("keys", { topics: [topic] }));
    this.#requests = new RequestQueue({
      brokers,
      clock: this.clock,
      seen: this.#seen,
      onState,
      onRetry: options.onRetry,
      reconnectMaxMs: options.reconnectMaxMs,
      token: () => this.#token,
      onToken: (token) => {
        this.#token = token;
        options.onToken?.(token);
      },
    });
    if (proxies.length > 0) {
      this.#subscriber = new Subscriber(
        proxies,
        (topic, payload) => this.#receive(topic, payload),
        (count) => this.#proxiesChanged(count),
      );
    }
    this.#looker = setInterval(() => this.#lookAgain(), lookAgainMs);
  }

  get state(): ConnectionState {
    return this.#requests.state;
  }

  /** Why no broker is there, if one refused the connection. */
  get refusal(): Refusal | undefined {
    return this.#requests.refusal;
  }

  /** Requests without an answer yet. */
  get open(): number {
    return this.#requests.open;
  }

  /** Requests that had to be sent more than once. */
  get retried(): number {
    return this.#requests.retried;
  }

  /** An id for a request that is to survive this process: give it to each try. */
  newId(): RequestId {
    return this.#requests.newId();
  }

  /** Any service, by name. */
  ask<S extends Service>(service: S, data: RequestData[S], id?: RequestId): Promise<Reply<S>> {
    return this.#requests.ask(service, data, { id, deadlineMs: this.#deadlineMs });
  }

  /** @param password where accounts are: it begins a session, which all that follows is asked in */
  async login(user: UserName, password?: string): Promise<Receipt> {
    const receipt = await this.#write("login", { user, password });
    this.#user = user;
    return receipt;
  }

  /** Claims a name for an account. @throws ProtocolError `name_taken` */
  async register(user: UserName, password: string, invitation?: string): Promise<void> {
    const { account } = await this.ask("register", { user, password, invitation });
    // Whatever is asked next is answered by who knows of the account.
    if (account !== undefined) this.#see(account.server, account.seq);
  }

  /** Ends all older sessions of the user; this one goes on. */
  changePassword(user: UserName, password: string, newPassword: string): Promise<Receipt> {
    return this.#write("password", { user, password, newPassword });
  }

  createChannel(channel: ChannelName, user?: UserName): Promise<Receipt> {
    return this.#write("channel", { channel, user });
  }

  // biome-ignore lint/complexity/useMaxParams: the last one is only for a text that is sent again.
  async publish(
    user: UserName,
    channel: ChannelName,
    message: string,
    id?: RequestId,
  ): Promise<Receipt> {
    const receipt = await this.#write("publish", { user, channel, message }, id);
    return this.#expect({ channel }, receipt);
  }

  // biome-ignore lint/complexity/useMaxParams: the last one is only for a text that is sent again.
  async message(src: UserName, dst: UserName, message: string, id?: RequestId): Promise<Receipt> {
    const receipt = await this.#write("message", { src, dst, message }, id);
    return this.#expect({ user: dst }, receipt);
  }

  /** All of them, sorted. */
  users(): Promise<UserName[]> {
    return allNames(async (from) => {
      const { users, next } = await this.ask("users", { from });
      return { names: users, next };
    });
  }

  channels(): Promise<ChannelName[]> {
    return allNames(async (from) => {
      const { channels, next } = await this.ask("channels", { from });
      return { names: channels, next };
    });
  }

  /** Whether a user has ever logged in: one question, however many users there are. */
  async knowsUser(user: UserName): Promise<boolean> {
    const { users } = await this.ask("users", { prefix: user, limit: 1 });
    return users.includes(user);
  }

  async history(name: ConversationName, options: HistoryOptions = {}): Promise<HistoryPage> {
    const page = await this.ask("history", { ...name, ...options });
    // With `since` the reply repeats it (H5), and what a publication said may be in it, true or not.
    if (options.since === undefined) raise(this.#seen, page.seen);
    for (const { server, seq } of page.entries) this.#see(server, seq);
    return page;
  }

  /**
   * Says that whoever logged in is there, and asks who else is. To be said each 10 s, at once when
   * it changes, and `gone` at the end; after 30 s of silence he counts as gone.
   * @returns by name, himself among them
   */
  async presence(state: PresenceState): Promise<readonly Present[]> {
    const user = this.#user ?? subjectOf(this.#token ?? "");
    const data = { user, client: this.#name, state };
    // What comes later than the next word of it is worth nothing.
    const deadlineMs = Math.min(this.#deadlineMs, durations.presenceMs);
    return (await this.#requests.ask("presence", data, { deadlineMs })).present;
  }

  /** The cluster's corrected time, ISO 8601. */
  async time(): Promise<string> {
    return (await this.ask("time", {})).time;
  }

  status(): Promise<Reply<"status">> {
    return this.ask("status", {});
  }

  /**
   * Hands every entry of a conversation to `onEntry`, exactly once. For a user that is what others
   * send him, unless `own` is set.
   * @throws ProtocolError `channel_not_found` or `user_not_found`
   */
  async subscribe(
    name: ConversationName,
    onEntry: (entry: Entry) => void,
    { last = 0, since, own = false }: SubscribeOptions = {},
  ): Promise<Subscription> {
    const topic = conversationTopic(name);
    if (this.#subscriptions.has(topic)) throw new Error(`${topic} is subscribed to already`);
    const subscription = new Subscription(topic, {
      fetch: async (vector) => this.#page(name, vector),
      deliver: (entry) => {
        if (own || isFor(name, entry)) onEntry(entry);
      },
      refused: this.#onRefused,
    });
    this.#subscriptions.set(topic, subscription);
    // First the wire, then the past: nothing falls between.
    this.#subscriber?.subscribe(topic);
    try {
      await this.#begin(subscription, name, { last, ...(since ? { since } : {}) });
    } catch (error) {
      this.unsubscribe(name);
      throw error;
    }
    return subscription;
  }

  /** Resolves when subscriptions delivered everything that this client wrote to their conversations (C3). */
  async heardItself(): Promise<void> {
    await Promise.all([...this.#subscriptions.values()].map((heard) => heard.complete()));
  }

  unsubscribe(name: ConversationName): void {
    const topic = conversationTopic(name);
    this.#subscriptions.get(topic)?.close();
    this.#subscriptions.delete(topic);
    this.#subscriber?.unsubscribe(topic);
  }

  async close(): Promise<void> {
    clearInterval(this.#looker);
    for (const subscription of this.#subscriptions.values()) subscription.close();
    this.#subscriber?.close();
    this.#requests.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #begin(
    subscription: Subscription,
    name: ConversationName,
    { last = 0, since }: SubscribeOptions,
  ): Promise<void> {
    if (since === undefined) {
      const page = await this.history(name, { limit: Math.max(1, last) });
      subscription.begin(page.seen, last > 0 ? page.entries : []);
    } else {
      await this.history(name, { limit: 1 });
      subscription.begin(since);
    }
    subscription.fill();
    await subscription.settled();
  }

  async #page(name: ConversationName, since: Vector): Promise<Page> {
    const page = await this.history(name, { since, limit: limits.historyEntries });
    return { entries: page.entries, seen: page.seen, more: page.next !== undefined };
  }

  async #write<S extends Write>(
    service: S,
    data: RequestData[S],
    id?: RequestId,
  ): Promise<Receipt> {
    const { entry } = await this.ask(service, data, id);
    this.#see(entry.server, entry.seq);
    return entry;
  }

  #expect(name: ConversationName, receipt: Receipt): Receipt {
    this.#subscriptions.get(conversationTopic(name))?.expect(receipt.server, receipt.seq);
    return receipt;
  }

  #see(server: ServerName, seq: number): void {
    if (seq > (this.#seen[server] ?? 0)) this.#seen[server] = seq;
  }

  #receive(topic: string, payload: Buffer): void {
    const subscription = this.#subscriptions.get(topic);
    if (subscription === undefined) return;
    const plain = this.#keys.open(topic, payload, () => subscription.fill());
    if (plain === undefined) return;
    // In a session what comes in clear may be anybody's word: the history tells what is true.
    if (plain === payload && this.#token !== undefined) return subscription.doubt(now().steadyMs);
    let value: unknown;
    try {
      // In an open cluster anybody may have sent it.
      value = decode(plain, "msgpack", { values: limits.payloadValues });
    } catch {
      return;
    }
    const publications = parsePublications(value);
    for (const { clock, server, seq } of publications) {
      this.clock.receiveFromAnyone(clock);
      // A server has signed it: whatever is asked next must be answered by who has it (R9).
      if (plain !== payload) this.#see(server, seq);
    }
    subscription.receive(publications);
  }

  #proxiesChanged(count: number): void {
    const isNew = count > this.#proxyConnections;
    this.#proxyConnections = count;
    // What was published while nobody listened is asked for.
    if (isNew) this.#lookAgain();
  }

  #lookAgain(): void {
    for (const subscription of this.#subscriptions.values()) subscription.fill();
  }
}

/** Reads page after page, until one does not begin further on: then the server goes in circles. */
async function allNames<Name>(
  page: (
    from: string | undefined,
  ) => Promise<{ names: readonly Name[]; next?: string | undefined }>,
): Promise<Name[]> {
  const all: Name[] = [];
  let from: string | undefined;
  for (;;) {
    const { names, next } = await page(from);
    for (const name of names) all.push(name);
    if (next === undefined || next <= (from ?? "")) return all;
    from = next;
  }
}

function isFor(name: ConversationName, entry: Entry): boolean {
  return "channel" in entry || entry.dst === name.user;
}
