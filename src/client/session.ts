import type { Refusal } from "../net/handshake.ts";
import { now } from "../platform/clock.ts";
import { randomHex } from "../platform/random.ts";
import type { PresenceState, Present, Receipt, Service } from "../protocol/client-messages.ts";
import type { ProtocolError } from "../protocol/errors.ts";
import type { ChannelName, RequestId, ServerName, UserName } from "../protocol/ids.ts";
import type { LamportClock } from "../protocol/lamport-clock.ts";
import { durations } from "../protocol/limits.ts";
import type { Entry } from "../protocol/publications.ts";
import type { HistoryPage, Replies, Reply } from "../protocol/replies.ts";
import type { HistoryOptions, RequestData } from "../protocol/request-data.ts";
import { type ConversationName, conversationTopic } from "../protocol/topics.ts";
import { type MutableVector, raise, type Vector } from "../protocol/vector.ts";
import { checkFunction, checkName, checkObject, checkOptionalText } from "./check-call.ts";
import type { ConnectionState } from "./connection-watch.ts";
import type { Feeds } from "./feeds.ts";
import { pages } from "./pages.ts";
import type { RequestQueue } from "./request-queue.ts";
import type { SealOpener } from "./seal-opener.ts";
import { subjectOf } from "./session-token.ts";
import type { Subscription } from "./subscription.ts";
import { TopicKeyring } from "./topic-keyring.ts";

export interface SessionOptions {
  /** Whose it is, until somebody logs in. Else it is the token's user. */
  readonly user?: UserName | undefined;
  /** Of a session that was begun before, where accounts are. */
  readonly token?: string | undefined;
  /** Told of each token that a server gives, to be kept for the next process. */
  readonly onToken?: ((token: string) => void) | undefined;
  /** A subscription isn't served any more, by an error that no retry mends: told at each try. */
  readonly onRefused?: ((error: ProtocolError) => void) | undefined;
}

export interface SubscribeOptions {
  /** Entries of the past to begin with; none unless told. */
  readonly last?: number | undefined;
  /** Go on behind this vector instead: nothing since then is missed. */
  readonly since?: Vector | undefined;
  /** Of a user, also what they send themselves, from wherever. */
  readonly own?: boolean | undefined;
}

export interface AskOptions {
  /** Of a request that is to survive this process: the same for each try. */
  readonly id?: RequestId | undefined;
}

/** The connection that a session shares with others. */
export interface SharedConnection {
  readonly clock: LamportClock;
  readonly state: ConnectionState;
  /** Why no broker is there, if one refused the connection. */
  readonly refusal: Refusal | undefined;
  /** Requests of all sessions without an answer yet. */
  readonly open: number;
}

/** What a connection lends to its sessions. */
export interface SessionParts {
  readonly connection: SharedConnection;
  readonly requests: RequestQueue;
  readonly feeds: Feeds;
  readonly opener: SealOpener;
  readonly deadlineMs: number;
}

/** The services whose answer is a receipt. */
type Write = { [S in Service]: Replies[S] extends { entry: Receipt } ? S : never }[Service];

/**
 * A user of the cluster: requests with retries that take effect once (C1, C2), subscriptions that
 * deliver exactly once (C3). Every method throws a ProtocolError with the server's code (C4), and a
 * TypeError that names the argument if it is called wrongly. `Connection.session` makes it;
 * `parseUserName` and `parseChannelName` make names of text.
 */
export class Session implements Disposable {
  readonly #parts: SessionParts;
  readonly #options: SessionOptions;
  readonly #asker = {
    /** Of whatever conversation (R9). */
    seen: {} as MutableVector,
    token: undefined as string | undefined,
    takeToken: (token: string) => this.#takeToken(token),
  };
  readonly #subscriptions = new Map<string, Subscription>();
  /** Tells this session from others of its user's. */
  readonly #name = randomHex(8);
  #user: UserName | undefined;
  #keys: TopicKeyring;

  constructor(parts: SessionParts, options: SessionOptions) {
    checkObject("options", options);
    checkOptionalText("user", options.user);
    checkOptionalText("token", options.token);
    this.#parts = parts;
    this.#options = options;
    this.#user = options.user;
    this.#asker.token = options.token;
    this.#keys = this.#noKeys();
  }

  get connection(): SharedConnection {
    return this.#parts.connection;
  }

  /** Who logged in last, else whose session it is. */
  get user(): UserName | undefined {
    return this.#user ?? subjectOf(this.#asker.token);
  }

  /** An id for a request that is to survive this process: give it to each try. */
  newId(): RequestId {
    return this.#parts.requests.newId();
  }

  /** Any service, by name. */
  ask<S extends Service>(
    service: S,
    data: RequestData[S],
    options: AskOptions = {},
  ): Promise<Reply<S>> {
    return this.#ask(service, data, options);
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

  createChannel(channel: ChannelName): Promise<Receipt> {
    return this.#write("channel", { channel, user: this.user });
  }

  async publish(channel: ChannelName, message: string, options?: AskOptions): Promise<Receipt> {
    const data = { user: this.#speaker(), channel, message };
    return this.#expect({ channel }, await this.#write("publish", data, options));
  }

  /** To one user alone. */
  async message(dst: UserName, message: string, options?: AskOptions): Promise<Receipt> {
    const data = { src: this.#speaker(), dst, message };
    return this.#expect({ user: dst }, await this.#write("message", data, options));
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
    if (options.since === undefined) raise(this.#asker.seen, page.seen);
    for (const { server, seq } of page.entries) this.#see(server, seq);
    return page;
  }

  /**
   * Says that the session's user is there, and asks who else is. To be said each 10 s, at once when
   * it changes, and `gone` at the end; after 30 s of silence they count as gone.
   * @returns by name, the user among them
   */
  async presence(state: PresenceState): Promise<readonly Present[]> {
    const data = { user: this.user, client: this.#name, state };
    // What comes later than the next word of it is worth nothing.
    return (await this.#ask("presence", data, { mostMs: durations.presenceMs })).present;
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
   * send them, unless `own` is set.
   * @throws ProtocolError `channel_not_found` or `user_not_found`
   */
  async subscribe(
    name: ConversationName,
    onEntry: (entry: Entry) => void,
    { last = 0, since, own = false }: SubscribeOptions = {},
  ): Promise<Subscription> {
    checkName(name);
    checkFunction("onEntry", onEntry);
    const topic = conversationTopic(name);
    if (this.#subscriptions.has(topic)) throw new Error(`${topic} is subscribed to already`);
    // First the wire, then the past: nothing falls between.
    const subscription: Subscription = this.#parts.feeds.join(topic, {
      hear: (payload) => this.#hear(subscription, payload),
      pages: (since) => pages(this, name, { since }),
      deliver: (entry) => {
        if (own || isFor(name, entry)) handOver(onEntry, entry);
      },
      refused: (error) => this.#options.onRefused?.(error),
    });
    this.#subscriptions.set(topic, subscription);
    try {
      await this.#begin(subscription, name, { last, since });
    } catch (error) {
      this.#end(subscription);
      throw error;
    }
    return subscription;
  }

  /** Resolves when subscriptions delivered everything that this session wrote to their conversations (C3). */
  async heardItself(): Promise<void> {
    await Promise.all([...this.#subscriptions.values()].map((heard) => heard.complete()));
  }

  unsubscribe(name: ConversationName): void {
    const subscription = this.#subscriptions.get(conversationTopic(name));
    if (subscription !== undefined) this.#end(subscription);
  }

  /** Ends its subscriptions and requests. The connection, and other sessions on it, go on. */
  close(): void {
    for (const subscription of this.#subscriptions.values()) this.#end(subscription);
    this.#parts.requests.leave(this.#asker);
  }

  [Symbol.dispose](): void {
    this.close();
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

  #end(subscription: Subscription): void {
    const { topic } = subscription;
    if (this.#subscriptions.get(topic) === subscription) this.#subscriptions.delete(topic);
    this.#parts.feeds.leave(subscription);
  }

  async #write<S extends Write>(
    service: S,
    data: RequestData[S],
    options: AskOptions = {},
  ): Promise<Receipt> {
    const { entry } = await this.ask(service, data, options);
    this.#see(entry.server, entry.seq);
    return entry;
  }

  #expect(name: ConversationName, receipt: Receipt): Receipt {
    this.#subscriptions.get(conversationTopic(name))?.expect(receipt.server, receipt.seq);
    return receipt;
  }

  async #ask<S extends Service>(
    service: S,
    data: RequestData[S],
    options: AskOptions & { readonly mostMs?: number },
  ): Promise<Reply<S>> {
    checkObject("options", options);
    const { requests, deadlineMs } = this.#parts;
    const { id, mostMs = deadlineMs } = options;
    const asker = this.#asker;
    return requests.ask(service, data, { asker, id, deadlineMs: Math.min(deadlineMs, mostMs) });
  }

  /** @throws TypeError if nobody is there to speak as */
  #speaker(): UserName {
    const { user } = this;
    if (user !== undefined) return user;
    throw new TypeError("`user` is not known: log in first, or give the session its user.");
  }

  #see(server: ServerName, seq: number): void {
    const { seen } = this.#asker;
    if (seq > (seen[server] ?? 0)) seen[server] = seq;
  }

  #takeToken(token: string): void {
    // What one user may read is not read on in the session of another.
    if (subjectOf(token) !== subjectOf(this.#asker.token)) this.#keys = this.#noKeys();
    this.#asker.token = token;
    this.#options.onToken?.(token);
  }

  #noKeys(): TopicKeyring {
    return new TopicKeyring((topic) => this.ask("keys", { topics: [topic] }), this.#parts.opener);
  }

  #hear(subscription: Subscription, payload: Buffer): void {
    const plain = this.#keys.open(subscription.topic, payload, () => subscription.fill());
    if (plain === undefined) return;
    const isClear = plain === payload;
    // In a session what comes in clear may be anybody's word: the history tells what is true.
    if (isClear && this.#asker.token !== undefined) return subscription.doubt(now().steadyMs);
    const publications = this.#parts.feeds.read(plain);
    // A server has signed it: whatever is asked next must be answered by who has it (R9).
    if (!isClear) for (const { server, seq } of publications) this.#see(server, seq);
    subscription.receive(publications);
  }
}

/** What a program throws at an entry is its own affair: other subscriptions get theirs all the same. */
function handOver(onEntry: (entry: Entry) => void, entry: Entry): void {
  try {
    onEntry(entry);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
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
