import { now, pause } from "../../platform/clock.ts";
import type { Present } from "../../protocol/client-messages.ts";
import { isExistingChannel, ProtocolError } from "../../protocol/errors.ts";
import { harmless } from "../../protocol/harmless.ts";
import type { ChannelName, UserName } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import type { Entry } from "../../protocol/publications.ts";
import type { HistoryPage } from "../../protocol/replies.ts";
import type { SearchOptions } from "../../protocol/request-data.ts";
import type { ConversationName } from "../../protocol/topics.ts";
import type { Vector } from "../../protocol/vector.ts";
import { describe } from "../commands/failure.ts";
import { statusLines } from "../commands/status.ts";
import type { ChatEvent, Question } from "../core/chat-events.ts";
import { type ConversationKey, nothingSaved, type SavedChat } from "../core/chat-model.ts";
import { targetOf } from "../core/chat-steps.ts";
import { mostItems } from "../core/message-list.ts";
import { mostFound, readFound } from "../core/search.ts";
import { type Target, writeTarget } from "../core/target.ts";
import { pages, readPages } from "../pages.ts";
import type { Session } from "../session.ts";
import { type ChatSession, privateEntries } from "./chat-session.ts";

interface ChatWorkParts {
  readonly session: ChatSession;
  readonly dispatch: (event: ChatEvent) => void;
  /** Called with each publication; the next drawing shows it. */
  readonly hear: (entry: Entry) => void;
}

const pulseMs = 5_000;
/**
 * How long the chat of a new person waits for a first channel, which a bot may create when the
 * cluster has just started.
 */
const firstChannelMs = 2_000;
const lookAgainMs = 250;
const namesMs = 20_000;

/** Makes the chat's requests to the servers, except the requests that send messages. */
export class ChatWork {
  readonly #session: ChatSession;
  readonly #client: Session;
  readonly #dispatch: (event: ChatEvent) => void;
  readonly #hear: (entry: Entry) => void;
  /**
   * For each conversation, an object that identifies the person's latest request to join; deleted
   * when the person leaves a channel.
   */
  readonly #wishes = new Map<ConversationKey, object>();
  /** Running fetches of newest messages. */
  readonly #joining = new Set<Promise<unknown>>();

  constructor({ session, dispatch, hear }: ChatWorkParts) {
    this.#session = session;
    this.#client = session.client;
    this.#dispatch = dispatch;
    this.#hear = hear;
  }

  async start(saved: SavedChat): Promise<void> {
    const { user } = this.#session;
    const channels = await this.#firstChannels(saved === nothingSaved);
    // Read `seen` before any conversation is fetched. The subscription starts after `seen`, so it
    // delivers each message that a fetch was too early to return.
    const { users, seen } = await this.#session.patiently(() => this.#privateWriters(saved));
    this.#dispatch({ type: "started", saved, channels });
    this.#dispatch({ type: "found", users, heard: seen });
    // A message delivered to the open conversation marks all messages before it as read, so those
    // must be shown first.
    await Promise.allSettled(this.#joining);
    const options = { since: seen, own: true };
    await this.#session.patiently(() => this.#client.subscribe({ user }, this.#hear, options));
    void this.#session.beat((present) => this.#show(present));
    void this.#session.repeat(pulseMs, () => this.#pulse());
    void this.#session.repeat(namesMs, () => this.names());
  }

  /**
   * Fetches a conversation's newest messages. If the conversation is a channel, also subscribes to
   * the channel. One subscription, made by `start`, delivers all private messages.
   */
  join(target: Target, read: Vector | undefined): Promise<void> {
    return this.#join(target, read, this.#wish(target));
  }

  /**
   * Records a request to join a conversation. @returns a function that returns false after the
   * person has repeated the request or left the channel
   */
  #wish(target: Target): () => boolean {
    const key = writeTarget(target);
    const wish = {};
    this.#wishes.set(key, wish);
    return () => this.#wishes.get(key) === wish;
  }

  async #join(target: Target, read: Vector | undefined, isWanted: () => boolean): Promise<void> {
    const { channel } = target;
    const joining = this.#session
      .patiently(() => this.#newest(target, read))
      .then(({ entries, next, seen }) => {
        if (isWanted()) this.#dispatch({ type: "joined", target, entries, next });
        return seen;
      });
    this.#joining.add(joining);
    try {
      const since = await joining;
      if (channel === undefined || !isWanted()) return;
      this.#client.unsubscribe({ channel });
      await this.#session.patiently(() =>
        this.#client.subscribe({ channel }, this.#hear, { since }),
      );
    } catch (error) {
      if (!isWanted()) return;
      if (channel !== undefined) return this.#notJoined(channel, error);
      this.#dispatch({ type: "notOlder", key: writeTarget(target) });
      this.#tell(error);
    } finally {
      this.#joining.delete(joining);
    }
  }

  /**
   * Fetches the newest page, and older pages while the oldest fetched entry is unread, up to about
   * `mostItems` entries.
   */
  #newest(target: Target, read: Vector | undefined): Promise<HistoryPage> {
    const isUnread = ({ seq, server }: Entry) => read !== undefined && seq > (read[server] ?? 0);
    const isEnough = ([oldest, ...others]: readonly Entry[]) =>
      oldest !== undefined && (!isUnread(oldest) || others.length + 1 >= mostItems);
    const options = { with: target.user, first: limits.historyEntriesDefault, isEnough };
    return readPages(this.#client, this.#nameOf(target), options);
  }

  #nameOf({ channel }: Target): ConversationName {
    return channel === undefined ? { user: this.#session.user } : { channel };
  }

  /**
   * Returns the users with whom the person has exchanged private messages since the chat was last
   * saved. Without a saved chat, only the newest `privateEntries` messages count.
   */
  async #privateWriters(saved: SavedChat): Promise<{ users: UserName[]; seen: Vector }> {
    const { heard, closed } = saved;
    const { user } = this.#session;
    const users = new Set<UserName>();
    let seen: Vector = {};
    const options = heard === undefined ? { most: privateEntries } : { since: heard };
    for await (const page of pages(this.#client, { user }, options)) {
      for (const entry of page.entries) users.add(targetOf(entry, user).user as UserName);
      seen = page.seen;
    }
    const isOpen = (other: UserName) => heard !== undefined || !closed.includes(`@${other}`);
    return { users: [...users].filter(isOpen), seen };
  }

  async create(channel: ChannelName): Promise<void> {
    const { context } = this.#session;
    const isWanted = this.#wish({ channel });
    try {
      await this.#session.ask(() => this.#client.createChannel(channel));
    } catch (error) {
      if (!isWanted()) return;
      if (!isExistingChannel(error)) return this.#notJoined(channel, error);
      this.#dispatch({ type: "notice", lines: [describe(error, context.text)] });
    }
    if (isWanted()) await this.#join({ channel }, undefined, isWanted);
  }

  part(channel: ChannelName): void {
    this.#wishes.delete(writeTarget({ channel }));
    this.#client.unsubscribe({ channel });
  }

  /** Fetches the page of messages just before the oldest fetched page, whose `next` is `before`. */
  async fetch(target: Target, before: string): Promise<void> {
    const key = writeTarget(target);
    try {
      const options = { with: target.user, before };
      const { entries, next } = await this.#session.ask(() =>
        this.#client.history(this.#nameOf(target), options),
      );
      this.#dispatch({ type: "older", key, before, entries, next });
    } catch (error) {
      this.#dispatch({ type: "notOlder", key });
      this.#tell(error, true);
    }
  }

  async search(target: Target, words: string): Promise<void> {
    const search = (page: SearchOptions) => {
      const options = { with: target.user, ...page };
      return this.#client.search(this.#nameOf(target), words, options);
    };
    try {
      const { entries, next } = await this.#session.ask(() =>
        readFound(search, { most: mostFound }),
      );
      this.#dispatch({ type: "searched", target, words, entries, isCut: next !== undefined });
    } catch (error) {
      this.#tell(error);
    }
  }

  async answer(question: Question): Promise<void> {
    try {
      this.#dispatch({ type: "notice", lines: await this.#lines(question) });
    } catch (error) {
      this.#tell(error);
    }
  }

  async away(isAway: boolean): Promise<void> {
    this.#session.isAway = isAway;
    await this.checkSession();
  }

  /**
   * Sends a presence report. If the session has ended, the server refuses the report, and the refusal
   * makes the person log in again.
   */
  async checkSession(): Promise<void> {
    await this.#session.quietly(async () => this.#show(await this.#session.presence()));
  }

  /** Reports that the person is gone, and waits at most `patienceMs` for the answer. */
  async leave(patienceMs: number): Promise<void> {
    await Promise.race([this.#client.presence("gone").catch(() => {}), pause(patienceMs)]);
  }

  names(): Promise<void> {
    return this.#session.quietly(async () => {
      const both = () => Promise.all([this.#client.users(), this.#client.channels()]);
      const [users, channels] = await this.#session.ask(both);
      this.#dispatch({ type: "names", users, channels });
    });
  }

  #notJoined(channel: ChannelName, error: unknown): void {
    const isMissing = error instanceof ProtocolError && error.code === "channel_not_found";
    const name = `#${channel}`;
    const why = isMissing
      ? this.#session.context.text("chat.noSuchChannel", { name })
      : `${name}: ${this.#told(error)}`;
    this.#dispatch({ type: "notJoined", channel, why });
  }

  async #firstChannels(isNew: boolean): Promise<readonly ChannelName[]> {
    const untilMs = now().steadyMs + firstChannelMs;
    for (;;) {
      const channels = await this.#session.patiently(() => this.#client.channels());
      if (!isNew || channels.length > 0 || now().steadyMs > untilMs) return channels;
      await pause(lookAgainMs, this.#session.signal);
    }
  }

  #show(present: readonly Present[]): void {
    const users = new Map(present.map(({ user, state }) => [user, state]));
    this.#dispatch({ type: "presence", users });
  }

  /** Sends the cheapest request, to measure the round trip and to learn which server answers. */
  async #pulse(): Promise<void> {
    const { steadyMs } = now();
    const { server } = await this.#session.ask(() => this.#client.ask("time", {}));
    const roundTripMs = Math.max(1, Math.round(now().steadyMs - steadyMs));
    const clock = this.#client.connection.clock.value;
    this.#dispatch({ type: "served", server: String(server), roundTripMs, clock });
  }

  async #lines(question: Question): Promise<readonly string[]> {
    const { context } = this.#session;
    switch (question) {
      case "users": {
        const users = await this.#session.ask(() => this.#client.users());
        this.#dispatch({ type: "names", users });
        const names = users.map(harmless).join(", ");
        return [context.text("chat.userList", { count: users.length, names })];
      }
      case "channels": {
        const channels = await this.#session.ask(() => this.#client.channels());
        this.#dispatch({ type: "names", channels });
        const names = channels.map((channel) => `#${harmless(channel)}`).join(", ");
        return [context.text("chat.channelList", { count: channels.length, names })];
      }
      case "time":
        return [await this.#session.ask(() => this.#client.time())];
      case "status":
        return statusLines(context, this.#client);
      default:
        return question satisfies never;
    }
  }

  #tell(error: unknown, isAside = false): void {
    this.#dispatch({ type: "notice", lines: [this.#told(error)], isProblem: true, isAside });
  }

  /** @throws `error`, if it is not a ProtocolError */
  #told(error: unknown): string {
    if (!(error instanceof ProtocolError)) throw error;
    return describe(error, this.#session.context.text);
  }
}
