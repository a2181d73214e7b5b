import type { ChatEffect, ChatEvent, Question } from "../../client/core/chat-events.ts";
import { nothingSaved } from "../../client/core/chat-model.ts";
import { targetOf } from "../../client/core/chat-steps.ts";
import { mostItems } from "../../client/core/message-list.ts";
import type { Outgoing } from "../../client/core/outgoing.ts";
import { mostFound, readFound } from "../../client/core/search.ts";
import { type Target, writeTarget } from "../../client/core/target.ts";
import type { Receipt } from "../../protocol/client-messages.ts";
import { isExistingChannel, ProtocolError } from "../../protocol/errors.ts";
import { harmless } from "../../protocol/harmless.ts";
import type { ChannelName, UserName } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import type { Entry } from "../../protocol/publications.ts";
import type { SearchOptions } from "../../protocol/request-data.ts";
import type { Vector } from "../../protocol/vector.ts";
import type { Text } from "../../texts/texts.ts";
import { pause } from "./browser.ts";
import type { PageEvent } from "./core/page-update.ts";
import { sentenceOf } from "./core/sentence.ts";
import type { GatewayApi, HistoryPage } from "./gateway-api.ts";
import type { GatewayLink } from "./gateway-link.ts";
import type { KeptChat } from "./saved.ts";
import type { Subscriptions } from "./subscriptions.ts";

interface ChatWorkParts {
  readonly user: UserName;
  readonly api: GatewayApi;
  readonly link: GatewayLink;
  readonly subscriptions: Subscriptions;
  readonly words: () => Text;
  readonly dispatch: (event: PageEvent) => void;
  /** Lets the person log in again; resolves when they have. */
  readonly logInAgain: () => Promise<void>;
  readonly signal: AbortSignal;
}

const beatMs = 10_000;
/** Longer than servers without a quorum take to refuse a report. */
const answerMs = 15_000;
const namesMs = 30_000;
const pauseMs = 500;
/** The most private messages that are read to find a person's conversations. */
const privateEntries = 500;

type Effect<Type extends ChatEffect["type"]> = Extract<ChatEffect, { readonly type: Type }>;

/** Makes the chat's requests to the gateway, except the requests that send messages. */
export class ChatWork {
  readonly #parts: ChatWorkParts;
  isAway = false;

  constructor(parts: ChatWorkParts) {
    this.#parts = parts;
  }

  async start({ chat, position }: KeptChat): Promise<void> {
    const { user, api, subscriptions, dispatch } = this.#parts;
    const channels = await this.#patiently(() => api.channels());
    const names = channels as ChannelName[];
    dispatch({ type: "started", saved: chat, channels: names });
    if (position === undefined) {
      const query = { limit: privateEntries };
      const page = await this.#patiently(() => api.privatePage(user, query));
      const others = page.messages.map((entry) => targetOf(entry, user).user as UserName);
      const isKnown = chat !== nothingSaved;
      const users = [...new Set(others)].filter(
        (other) => !isKnown || !chat.closed.includes(`@${other}`),
      );
      dispatch({ type: "found", users, heard: {} });
      subscriptions.add(`@${user}`, page.position);
    } else {
      dispatch({ type: "found", users: [], heard: {} });
      subscriptions.add(`@${user}`, position);
    }
    void this.#repeat(beatMs, () => this.beat());
    void this.#repeat(namesMs, () => this.#names());
  }

  async join({ target, read }: Effect<"join">): Promise<void> {
    const { subscriptions, dispatch } = this.#parts;
    const { channel } = target;
    try {
      const { entries, next, position } = await this.#patiently(() => this.#newest(target, read));
      dispatch({ type: "joined", target, entries, next });
      if (channel !== undefined) subscriptions.add(`#${channel}`, position);
    } catch (error) {
      if (channel !== undefined) return this.#notJoined(channel, error);
      dispatch({ type: "notOlder", key: writeTarget(target) });
      this.#tell(error);
    }
  }

  async create(channel: ChannelName): Promise<void> {
    try {
      await this.#patiently(() => this.#parts.api.createChannel(channel));
    } catch (error) {
      if (!isExistingChannel(error)) return this.#notJoined(channel, error);
    }
    await this.join({ type: "join", target: { channel }, read: undefined });
  }

  part(channel: ChannelName): void {
    this.#parts.subscriptions.remove(`#${channel}`);
  }

  async fetch({ target, before }: Effect<"fetch">): Promise<void> {
    const key = writeTarget(target);
    try {
      const query = { before, limit: limits.historyEntriesDefault };
      const { messages, next } = await this.#page(target, query);
      this.#parts.dispatch({ type: "older", key, before, entries: messages, next });
    } catch (error) {
      this.#parts.dispatch({ type: "notOlder", key });
      this.#tell(error, true);
    }
  }

  async search({ target, words }: Effect<"search">): Promise<void> {
    const { api, user, dispatch } = this.#parts;
    const { channel } = target;
    const search = async (page: SearchOptions) => {
      const { messages: entries, next } = await (channel === undefined
        ? api.searchPrivate(user, { words, with: target.user, ...page })
        : api.searchChannel(channel, { words, ...page }));
      return { entries, next };
    };
    try {
      const { entries, next } = await readFound(search, { most: mostFound });
      dispatch({ type: "searched", target, words, entries, isCut: next !== undefined });
    } catch (error) {
      this.#tell(error);
    }
  }

  async answer(question: Question): Promise<void> {
    const { api, words, dispatch } = this.#parts;
    try {
      if (question === "time") return dispatch({ type: "notice", lines: [await api.time()] });
      if (question === "users") {
        const users = await api.users();
        const names = users.map(harmless).join(", ");
        const lines = [words()("chat.userList", { count: users.length, names })];
        return dispatch({ type: "notice", lines });
      }
      if (question === "channels") {
        const channels = await api.channels();
        const names = channels.map((name) => `#${harmless(name)}`).join(", ");
        const lines = [words()("chat.channelList", { count: channels.length, names })];
        return dispatch({ type: "notice", lines });
      }
      dispatch({ type: "notice", lines: [words()("page.noCommand")] });
    } catch (error) {
      this.#tell(error);
    }
  }

  /** Asks for all names, for the quick switch. A failure leaves the names as they are. */
  names(): void {
    void this.#names().catch(() => {});
  }

  /**
   * Reports the presence, which also shows whether the connection still works.
   * @param mostMs how long the answer may take before the connection counts as lost
   */
  async beat(mostMs: number = answerMs): Promise<void> {
    const { link, dispatch } = this.#parts;
    await link.connected();
    const state = this.isAway ? "away" : "online";
    const answer = await link.pulse({ type: "presence", state }, mostMs);
    if (answer.type !== "present") return;
    const users = new Map(answer.present.map((one) => [one.user, one.state]));
    dispatch({ type: "presence", users });
  }

  /** @throws ProtocolError */
  async send({ id, target, text }: Outgoing): Promise<Receipt> {
    const { link } = this.#parts;
    await link.connected();
    const conversation = writeTarget(target);
    const answer = await link.ask({ type: "publish", conversation, message: text, id });
    if (answer.type !== "receipt") throw new ProtocolError("internal", "No receipt came.");
    return answer.entry;
  }

  async #names(): Promise<void> {
    const { api, dispatch } = this.#parts;
    const [users, channels] = await Promise.all([api.users(), api.channels()]);
    dispatch({ type: "names", users, channels });
  }

  /**
   * Fetches the newest page, and older pages while the oldest fetched entry is unread, up to about
   * `mostItems` entries.
   */
  async #newest(target: Target, read: Vector | undefined) {
    const limit = limits.historyEntriesDefault;
    const first = await this.#page(target, { limit });
    let { next } = first;
    let entries: readonly Entry[] = first.messages;
    const isUnread = (entry: Entry | undefined) =>
      read !== undefined && entry !== undefined && entry.seq > (read[entry.server] ?? 0);
    while (next !== undefined && isUnread(entries[0]) && entries.length < mostItems) {
      const page = await this.#page(target, { before: next, limit: limits.historyEntries });
      entries = [...page.messages, ...entries];
      next = page.next;
    }
    return { entries, next, position: first.position };
  }

  #page(target: Target, query: Readonly<Record<string, string | number>>): Promise<HistoryPage> {
    const { api, user } = this.#parts;
    if (target.channel !== undefined) return api.channelPage(target.channel, query);
    return api.privatePage(user, { ...query, with: target.user });
  }

  #notJoined(channel: ChannelName, error: unknown): void {
    const { words, dispatch } = this.#parts;
    const name = `#${harmless(channel)}`;
    const isMissing = error instanceof ProtocolError && error.code === "channel_not_found";
    const why = isMissing
      ? words()("chat.noSuchChannel", { name })
      : `${name}: ${this.#told(error)}`;
    this.#parts.subscriptions.remove(`#${channel}`);
    dispatch({ type: "notJoined", channel, why });
  }

  #tell(error: unknown, isAside = false): void {
    const event: ChatEvent = {
      type: "notice",
      lines: [this.#told(error)],
      isProblem: true,
      isAside,
    };
    this.#parts.dispatch(event);
  }

  #told(error: unknown): string {
    if (!(error instanceof ProtocolError)) throw error;
    return sentenceOf(error, this.#parts.words());
  }

  /** Repeats a request until it succeeds or a retry can't help. */
  async #patiently<T>(request: () => Promise<T>): Promise<T> {
    const { signal, logInAgain } = this.#parts;
    for (;;) {
      try {
        return await request();
      } catch (error) {
        if (!(error instanceof ProtocolError) || signal.aborted) throw error;
        if (error.code === "unauthenticated") await logInAgain();
        else if (error.retry) await pause((error.wait ?? 0) * 1_000 + pauseMs, signal);
        else throw error;
      }
    }
  }

  async #repeat(everyMs: number, act: () => Promise<void>): Promise<void> {
    const { signal } = this.#parts;
    while (!signal.aborted) {
      await act().catch(() => {});
      await pause(everyMs, signal);
    }
  }
}
