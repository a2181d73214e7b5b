import { ReferenceLink } from "../../net/reference-link.ts";
import { now, pause } from "../../platform/clock.ts";
import { retrying } from "../../platform/retry.ts";
import { isExistingChannel, ProtocolError } from "../../protocol/errors.ts";
import { harmless } from "../../protocol/harmless.ts";
import type { ChannelName, UserName } from "../../protocol/ids.ts";
import { LamportClock } from "../../protocol/lamport-clock.ts";
import { durations, limits } from "../../protocol/limits.ts";
import type { Entry } from "../../protocol/publications.ts";
import type { HistoryPage } from "../../protocol/replies.ts";
import type { ConversationName } from "../../protocol/topics.ts";
import type { Vector } from "../../protocol/vector.ts";
import type { ChatClient } from "../chat-client.ts";
import type { Context } from "../commands/context.ts";
import { describe } from "../commands/failure.ts";
import { statusLines } from "../commands/status.ts";
import type { Question } from "../core/chat-events.ts";
import { type ConversationKey, nothingSaved, type SavedChat } from "../core/chat-model.ts";
import { targetOf } from "../core/chat-steps.ts";
import { mostItems } from "../core/message-list.ts";
import { type Target, writeTarget } from "../core/target.ts";
import { pages, readPages } from "../pages.ts";
import type { ChatPorts } from "./chat-ports.ts";
import { chatWords } from "./chat-words.ts";

interface ChatWorkParts extends ChatPorts {
  readonly context: Context;
  readonly client: ChatClient;
  readonly user: UserName;
}

const pauseMs = 500;
const pulseMs = 5_000;
/** In a cluster that was just started somebody may be about to make the first channel. */
const firstChannelMs = 2_000;
const namesMs = 20_000;
const privateEntries = 500;

/** All that the chat asks the servers for but sending: it takes time, and may fail. */
export class ChatWork {
  readonly #parts: ChatWorkParts;
  /** The last wish to be in a conversation; none once a channel was left. */
  readonly #wishes = new Map<ConversationKey, object>();
  /** Newest messages that are being fetched. */
  readonly #joining = new Set<Promise<unknown>>();
  #isAway = false;

  constructor(parts: ChatWorkParts) {
    this.#parts = parts;
  }

  async start(saved: SavedChat): Promise<void> {
    const { client, user, dispatch, hear } = this.#parts;
    const channels = await this.#firstChannels(saved === nothingSaved);
    // Before anything is fetched of a conversation: what comes behind `seen` is delivered.
    const { users, seen } = await this.#patiently(() => this.#whoWrote(saved));
    dispatch({ type: "started", saved, channels });
    dispatch({ type: "found", users, heard: seen });
    // What comes from now on counts as read where the person is: what came before is there first.
    await Promise.allSettled(this.#joining);
    const options = { since: seen, own: true };
    await this.#patiently(() => client.subscribe({ user }, hear, options));
    void this.#repeat(durations.presenceMs, () => this.#presence());
    void this.#repeat(pulseMs, () => this.#pulse());
    void this.#repeat(namesMs, () => this.names());
  }

  /** Its newest messages, then all that follow them; what is private comes anyway. */
  join(target: Target, read: Vector | undefined): Promise<void> {
    const wish = {};
    this.#wishes.set(writeTarget(target), wish);
    return this.#join(target, { read, wish });
  }

  async #join(
    target: Target,
    { read, wish }: { readonly read?: Vector | undefined; readonly wish: object },
  ): Promise<void> {
    const joining = this.#fetchNewest(target, { read, wish });
    this.#joining.add(joining);
    const { client, hear } = this.#parts;
    const { channel } = target;
    try {
      const page = await joining;
      if (page === undefined || channel === undefined) return;
      client.unsubscribe({ channel });
      await this.#patiently(() => client.subscribe({ channel }, hear, { since: page.seen }));
    } catch (error) {
      if (!this.#isWished(target, wish)) return;
      if (channel !== undefined) return this.#notJoined(channel, error);
      this.#parts.dispatch({ type: "notOlder", key: writeTarget(target) });
      this.#tell(error);
    } finally {
      this.#joining.delete(joining);
    }
  }

  /** @returns nothing if the person has left meanwhile, and perhaps come again */
  async #fetchNewest(
    target: Target,
    { read, wish }: { readonly read?: Vector | undefined; readonly wish: object },
  ): Promise<HistoryPage | undefined> {
    const page = await this.#patiently(() => this.#newest(target, read));
    if (!this.#isWished(target, wish)) return undefined;
    const { entries, next } = page;
    this.#parts.dispatch({ type: "joined", target, entries, next });
    return page;
  }

  #isWished(target: Target, wish: object): boolean {
    return this.#wishes.get(writeTarget(target)) === wish;
  }

  /** The newest page, and those before it as long as there is something unread in them. */
  #newest(target: Target, read: Vector | undefined): Promise<HistoryPage> {
    // If the oldest entry is unread, entries before it may be unread too.
    const isUnread = ({ seq, server }: Entry) => read !== undefined && seq > (read[server] ?? 0);
    const isEnough = ([oldest, ...others]: readonly Entry[]) =>
      oldest !== undefined && (!isUnread(oldest) || others.length + 1 >= mostItems);
    const options = { with: target.user, first: limits.historyEntriesDefault, isEnough };
    return readPages(this.#parts.client, this.#nameOf(target), options);
  }

  #nameOf({ channel }: Target): ConversationName {
    return channel === undefined ? { user: this.#parts.user } : { channel };
  }

  /** Who wrote in private since an earlier chat; without an earlier chat, who wrote lately. */
  async #whoWrote({ heard, closed }: SavedChat): Promise<{ users: UserName[]; seen: Vector }> {
    const { client, user } = this.#parts;
    const users = new Set<UserName>();
    let seen: Vector = {};
    const options = heard === undefined ? { most: privateEntries } : { since: heard };
    for await (const page of pages(client, { user }, options)) {
      for (const entry of page.entries) users.add(targetOf(entry, user).user as UserName);
      seen = page.seen;
    }
    const isOpen = (other: UserName) => heard !== undefined || !closed.includes(`@${other}`);
    return { users: [...users].filter(isOpen), seen };
  }

  async create(channel: ChannelName): Promise<void> {
    const { client, user, ask, dispatch, text } = this.#parts;
    const wish = {};
    this.#wishes.set(writeTarget({ channel }), wish);
    try {
      await ask(() => client.createChannel(channel, user));
    } catch (error) {
      if (!this.#isWished({ channel }, wish)) return;
      if (!isExistingChannel(error)) return this.#notJoined(channel, error);
      dispatch({ type: "notice", lines: [describe(error, text())] });
    }
    if (this.#isWished({ channel }, wish)) await this.#join({ channel }, { wish });
  }

  part(channel: ChannelName): void {
    this.#wishes.delete(writeTarget({ channel }));
    this.#parts.client.unsubscribe({ channel });
  }

  /** A page of what comes before. */
  async fetch(target: Target, before: string): Promise<void> {
    const { client, ask, dispatch } = this.#parts;
    const key = writeTarget(target);
    try {
      const options = { with: target.user, before };
      const page = await ask(() => client.history(this.#nameOf(target), options));
      const { entries, next } = page;
      dispatch({ type: "older", key, before, entries, next });
    } catch (error) {
      dispatch({ type: "notOlder", key });
      this.#tell(error, true);
    }
  }

  async answer(question: Question): Promise<void> {
    try {
      const lines = await this.#lines(question);
      this.#parts.dispatch({ type: "notice", lines });
    } catch (error) {
      this.#tell(error);
    }
  }

  async away(isAway: boolean): Promise<void> {
    this.#isAway = isAway;
    await this.#quietly(() => this.#presence());
  }

  /** Nobody waits for it long. */
  async leave(patienceMs: number): Promise<void> {
    const { client } = this.#parts;
    await Promise.race([client.presence("gone").catch(() => {}), pause(patienceMs)]);
  }

  names(): Promise<void> {
    const { client, ask, dispatch } = this.#parts;
    return this.#quietly(async () => {
      const [users, channels] = await ask(() => Promise.all([client.users(), client.channels()]));
      dispatch({ type: "names", users, channels });
    });
  }

  #notJoined(channel: ChannelName, error: unknown): void {
    const { dispatch, text, signal } = this.#parts;
    const isMissing = error instanceof ProtocolError && error.code === "channel_not_found";
    const name = `#${channel}`;
    const why = isMissing
      ? chatWords(text())("noSuchChannel", { name })
      : `${name}: ${this.#told(error)}`;
    if (!signal.aborted) dispatch({ type: "notJoined", channel, why });
  }

  async #firstChannels(isNew: boolean): Promise<readonly ChannelName[]> {
    const { client, signal } = this.#parts;
    const untilMs = now().steadyMs + firstChannelMs;
    for (;;) {
      const channels = await this.#patiently(() => client.channels());
      if (!isNew || channels.length > 0 || now().steadyMs > untilMs) return channels;
      await pause(pauseMs / 2, signal);
    }
  }

  async #presence(): Promise<void> {
    const { client, ask, dispatch } = this.#parts;
    const present = await ask(() => client.presence(this.#isAway ? "away" : "online"));
    const users = new Map(present.map(({ user, state }) => [user, state]));
    dispatch({ type: "presence", users });
  }

  /** The least that is asked, for how long it takes and who answers. */
  async #pulse(): Promise<void> {
    const { client, ask, dispatch } = this.#parts;
    const { steadyMs } = now();
    const { server } = await ask(() => client.ask("time", {}));
    const roundTripMs = Math.max(1, Math.round(now().steadyMs - steadyMs));
    dispatch({ type: "served", server: String(server), roundTripMs, clock: client.clock.value });
  }

  async #lines(question: Question): Promise<readonly string[]> {
    const { client, ask, dispatch, context, text } = this.#parts;
    const words = chatWords(text());
    switch (question) {
      case "users": {
        const users = await ask(() => client.users());
        dispatch({ type: "names", users });
        return [words("userList", { count: users.length, names: users.map(harmless).join(", ") })];
      }
      case "channels": {
        const channels = await ask(() => client.channels());
        dispatch({ type: "names", channels });
        const names = channels.map((channel) => `#${harmless(channel)}`).join(", ");
        return [words("channelList", { count: channels.length, names })];
      }
      case "time":
        return [await ask(() => client.time())];
      case "status": {
        const link = new ReferenceLink(context.config.reference, new LamportClock());
        try {
          return await statusLines({ ...context, text: text() }, { client, link });
        } finally {
          link.close();
        }
      }
      default:
        return question satisfies never;
    }
  }

  #patiently<T>(request: () => Promise<T>): Promise<T> {
    const { ask, signal } = this.#parts;
    const canHelp = (error: unknown) => error instanceof ProtocolError && error.retry;
    return retrying({ canHelp, pauseMs, signal }, () => ask(request));
  }

  async #repeat(everyMs: number, act: () => Promise<void>): Promise<void> {
    const { signal } = this.#parts;
    while (!signal.aborted) {
      await this.#quietly(act);
      await pause(everyMs, signal);
    }
  }

  /** What is not there this time is there the next. */
  async #quietly(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
    }
  }

  #tell(error: unknown, isAside = false): void {
    const { dispatch, signal } = this.#parts;
    const lines = [this.#told(error)];
    if (!signal.aborted) dispatch({ type: "notice", lines, isProblem: true, isAside });
  }

  /** @throws the error itself, if no server told it */
  #told(error: unknown): string {
    if (!(error instanceof ProtocolError)) throw error;
    return describe(error, this.#parts.text());
  }
}
