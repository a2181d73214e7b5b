import type { Refusal } from "../net/connection-refusal.ts";
import { now } from "../platform/clock.ts";
import { randomHex } from "../platform/random.ts";
import type { PresenceState, Present, Receipt, Service } from "../protocol/client-messages.ts";
import type { ProtocolError } from "../protocol/errors.ts";
import type { ChannelName, RequestId, ServerName, UserName } from "../protocol/ids.ts";
import type { LamportClock } from "../protocol/lamport-clock.ts";
import { durations } from "../protocol/limits.ts";
import type { Entry } from "../protocol/publications.ts";
import type { HistoryPage, Replies, Reply } from "../protocol/replies.ts";
import type { HistoryOptions, RequestData, SearchOptions } from "../protocol/request-data.ts";
import { type ConversationName, conversationTopic } from "../protocol/topics.ts";
import { type MutableVector, raise, type Vector } from "../protocol/vector.ts";
import { askWithSlot } from "./ask-with-slot.ts";
import { checkFunction, checkName, checkObject, checkOptionalText } from "./check-call.ts";
import type { ConnectionState } from "./connection-watch.ts";
import type { Feeds } from "./feeds.ts";
import { allNames, pages } from "./pages.ts";
import type { RequestQueue } from "./request-queue.ts";
import type { SealOpener } from "./seal-opener.ts";
import { subjectOf } from "./session-token.ts";
import { handOver, type SubscribeOptions, type Subscription } from "./subscription.ts";
import { TopicKeyring } from "./topic-keyring.ts";

export interface SessionOptions {
  /** The session's user until a login; by default, the user of `token`. */
  readonly user?: UserName | undefined;
  /** A token that a previous process saved; with it, the user need not log in again. */
  readonly token?: string | undefined;
  /**
   * What an earlier session has seen: the `seen` of that session. This session's requests then show
   * at least as much (R9).
   */
  readonly seen?: Vector | undefined;
  /** The address of the person for whom a gateway makes the session's requests (X9). */
  readonly via?: string | undefined;
  /** Called with each token that a server gives, so that the program can save the token. */
  readonly onToken?: ((token: string) => void) | undefined;
  /** Called each time a subscription's fetch fails with an error that no retry resolves. */
  readonly onRefused?: ((error: ProtocolError) => void) | undefined;
}

export interface AskOptions {
  /**
   * The request's id. A process that retries a previous process's request must pass the same id. By
   * default, a new id.
   */
  readonly id?: RequestId | undefined;
  /**
   * `now` if the answer must show all that was decided before the request was sent, to whomever it
   * was told (D8). By default, it shows at least what this session was told.
   */
  readonly consistency?: "now" | undefined;
}

/** The properties of a connection that programs read from `Session.connection`. */
export interface SharedConnection {
  readonly clock: LamportClock;
  readonly state: ConnectionState;
  /** Why a broker refused the connection; undefined while connected or if no broker refused. */
  readonly refusal: Refusal | undefined;
  /** Number of unanswered requests of all sessions. */
  readonly open: number;
}

export interface SessionParts {
  readonly connection: SharedConnection;
  readonly requests: RequestQueue;
  readonly feeds: Feeds;
  readonly opener: SealOpener;
  readonly deadlineMs: number;
}

/** The services whose reply contains a receipt. */
type Write = { [S in Service]: Replies[S] extends { entry: Receipt } ? S : never }[Service];

/**
 * A user's access to the cluster. Requests are retried and take effect once (C1, C2), and
 * subscriptions deliver each entry exactly once (C3). A method throws a ProtocolError with the
 * server's code if a request fails (C4), and a TypeError for a wrong argument. Programs create
 * sessions with `Connection.session`, and names with `parseUserName` and `parseChannelName`.
 */
export class Session implements Disposable {
  readonly #parts: SessionParts;
  readonly #options: SessionOptions;
  readonly #asker = {
    /** The vector of everything that the session has seen, in all conversations (R9). */
    seen: {} as MutableVector,
    slot: undefined as number | undefined,
    token: undefined as string | undefined,
    via: undefined as string | undefined,
    takeToken: (token: string) => this.#takeToken(token),
  };
  readonly #subscriptions = new Map<string, Subscription>();
  /** Identifies this session in presence reports, because a user may have several sessions. */
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
    this.#asker.via = options.via;
    raise(this.#asker.seen, options.seen ?? {});
    this.#keys = this.#noKeys();
  }

  get connection(): SharedConnection {
    return this.#parts.connection;
  }

  /** The user of the last login; before a login, the user given by the options or the token. */
  get user(): UserName | undefined {
    return this.#user ?? subjectOf(this.#asker.token);
  }

  /** The vector of everything that the session has seen, in all conversations (R9). */
  get seen(): Vector {
    return { ...this.#asker.seen };
  }

  /** @returns an id to pass to each try of a request that another process may have to retry */
  newId(): RequestId {
    return this.#parts.requests.newId();
  }

  /** Sends a request to any service. */
  ask<S extends Service>(
    service: S,
    data: RequestData[S],
    options: AskOptions = {},
  ): Promise<Reply<S>> {
    return this.#ask(service, data, options);
  }

  /**
   * Logs in. In a cluster with accounts, the session's next requests carry the token of this login.
   * @param password needed only in a cluster with accounts
   */
  async login(user: UserName, password?: string): Promise<Receipt> {
    const receipt = await this.#write("login", { user, password });
    this.#user = user;
    return receipt;
  }

  /** Registers an account. @throws ProtocolError, such as `name_taken` */
  async register(user: UserName, password: string, invitation?: string): Promise<void> {
    await this.ask("register", { user, password, invitation });
  }

  /** Changes the password, and ends all sessions of the user except this one. */
  async changePassword(user: UserName, password: string, newPassword: string): Promise<void> {
    await this.ask("password", { user, password, newPassword });
  }

  createChannel(channel: ChannelName): Promise<Receipt> {
    return this.#write("channel", { channel, user: this.user });
  }

  async publish(channel: ChannelName, message: string, options?: AskOptions): Promise<Receipt> {
    const data = { user: this.#speaker(), channel, message };
    return this.#expect({ channel }, await this.#write("publish", data, options));
  }

  /** Sends a private message to one user. */
  async message(dst: UserName, message: string, options?: AskOptions): Promise<Receipt> {
    const data = { src: this.#speaker(), dst, message };
    return this.#expect({ user: dst }, await this.#write("message", data, options));
  }

  /** @returns all users, sorted */
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

  /** Returns whether a user has ever logged in. Sends a single request. */
  async knowsUser(user: UserName): Promise<boolean> {
    const { users } = await this.ask("users", { prefix: user, limit: 1 });
    return users.includes(user);
  }

  async history(name: ConversationName, options: HistoryOptions = {}): Promise<HistoryPage> {
    const page = await this.ask("history", { ...name, ...options });
    // The reply's `seen` covers `since` (H5), and a forged publication may have raised `since`. So
    // with `since`, only the reply's entries count as seen.
    if (options.since === undefined) raise(this.#asker.seen, page.seen);
    return page;
  }

  /** Finds entries by their words, as Q31 describes. */
  search(name: ConversationName, words: string, options: SearchOptions = {}) {
    return this.ask("search", { ...name, ...options, words });
  }

  /**
   * Reports the presence of the session's user. Call it every 10 s, whenever the presence changes,
   * and with `gone` at the end. A user counts as gone after 30 s without a report.
   * @returns the users who are present, sorted by name
   */
  async presence(state: PresenceState): Promise<readonly Present[]> {
    const data = { user: this.user, client: this.#name, state };
    // The next report replaces this one, so this one is retried only until the next one is due.
    return (await this.#ask("presence", data, { mostMs: durations.presenceMs })).present;
  }

  /** Returns the time of a server's synchronised clock, as ISO 8601. */
  async time(): Promise<string> {
    return (await this.ask("time", {})).time;
  }

  status(): Promise<Reply<"status">> {
    return this.ask("status", {});
  }

  /** Returns what servers did with one event (Q14). @param of its id, or its name `server/seq` */
  trace(of: string): Promise<Reply<"trace">> {
    return this.ask("trace", { of });
  }

  /**
   * Calls `onEntry` exactly once for every entry of a conversation. A user's conversation has the
   * private messages to the user and, with `own`, also those from the user. `place` is the vector
   * after the entry, from which a later subscription can resume; it changes with the next entry.
   * @throws ProtocolError `channel_not_found` or `user_not_found`
   */
  async subscribe(
    name: ConversationName,
    onEntry: (entry: Entry, place: Vector) => void,
    options: SubscribeOptions = {},
  ): Promise<Subscription> {
    checkName(name);
    checkFunction("onEntry", onEntry);
    checkObject("options", options);
    const { last = 0, since, own = false, onMissed } = options;
    const topic = conversationTopic(name);
    if (this.#subscriptions.has(topic)) throw new Error(`${topic} is subscribed to already`);
    // Subscribe at the proxies before reading the history, so that no publication in between is
    // missed.
    const subscription: Subscription = this.#parts.feeds.join(topic, {
      hear: (payload) => this.#hear(subscription, payload),
      pages: (since) => pages(this, name, { since }),
      deliver: (entry, place) => {
        if (own || isFor(name, entry)) handOver(() => onEntry(entry, place));
      },
      missed: () => onMissed?.(),
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

  /**
   * Resolves when each subscription has delivered what this session wrote to its conversation, or
   * has failed to fetch it (C3).
   */
  async heardItself(): Promise<void> {
    await Promise.all([...this.#subscriptions.values()].map((heard) => heard.complete()));
  }

  unsubscribe(name: ConversationName): void {
    const subscription = this.#subscriptions.get(conversationTopic(name));
    if (subscription !== undefined) this.#end(subscription);
  }

  /** Ends the session's subscriptions and requests. Other sessions of the connection go on. */
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
    const { id, consistency, mostMs = deadlineMs } = options;
    const asker = this.#asker;
    const limits = { asker, id, consistency, deadlineMs: Math.min(deadlineMs, mostMs) };
    const reply = await askWithSlot(requests, { service, data }, limits);
    if ("entry" in reply) this.#see(reply.entry.server, reply.entry.seq);
    if ("entries" in reply) for (const { server, seq } of reply.entries) this.#see(server, seq);
    return reply;
  }

  /** @throws TypeError if the session has no user */
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
    // The new user must not read with the keys of the previous user.
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
    // A session with a token does not trust an unencrypted publication, so it fetches the history.
    if (isClear && this.#asker.token !== undefined) return subscription.doubt(now().steadyMs);
    const publications = this.#parts.feeds.read(plain);
    // A server signed these publications, so they count as seen (R9).
    if (!isClear) for (const { server, seq } of publications) this.#see(server, seq);
    subscription.receive(publications);
  }
}

function isFor(name: ConversationName, entry: Entry): boolean {
  return "channel" in entry || entry.dst === name.user;
}
