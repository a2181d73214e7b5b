import { ReferenceLink } from "../../net/reference-link.ts";
import { now, pause } from "../../platform/clock.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { ChannelName, UserName } from "../../protocol/ids.ts";
import { LamportClock } from "../../protocol/lamport-clock.ts";
import { durations, limits } from "../../protocol/limits.ts";
import type { ChannelEntry, Entry, PrivateEntry } from "../../protocol/messages.ts";
import type { ChatClient } from "../chat-client.ts";
import type { Context } from "../commands/context.ts";
import { describe } from "../commands/failure.ts";
import { statusLines } from "../commands/status.ts";
import type { Question } from "../core/chat-events.ts";
import { nothingSaved, type SavedChat } from "../core/chat-model.ts";
import { conversationOf } from "../core/conversation.ts";
import { harmless } from "../core/harmless.ts";
import { type Target, writeTarget } from "../core/target.ts";
import type { ChatPorts } from "./chat-ports.ts";
import { chatWords } from "./chat-words.ts";

interface ChatWorkParts extends ChatPorts {
  readonly context: Context;
  readonly client: ChatClient;
  readonly user: UserName;
}

const againMs = 500;
const pulseMs = 5_000;
/** In a cluster that was just started somebody may be about to make the first channel. */
const firstChannelMs = 2_000;
const namesMs = 20_000;
const privateEntries = 500;

/** All that the chat asks the servers for but sending: it takes time, and may fail. */
export class ChatWork {
  readonly #parts: ChatWorkParts;
  /** The last wish to be in a channel; none once it was left. */
  readonly #wishes = new Map<ChannelName, object>();
  #isAway = false;

  constructor(parts: ChatWorkParts) {
    this.#parts = parts;
  }

  async start(saved: SavedChat): Promise<void> {
    const { client, user, dispatch, hear } = this.#parts;
    const channels = await this.#firstChannels(saved === nothingSaved);
    dispatch({ type: "started", saved, channels });
    const page = await this.#patiently(() => client.history({ user }, { limit: privateEntries }));
    const entries = page.entries as readonly PrivateEntry[];
    dispatch({ type: "private", entries, next: page.next });
    await this.#patiently(() => client.subscribe({ user }, hear, { since: page.seen, own: true }));
    void this.#repeat(durations.presenceMs, () => this.#presence());
    void this.#repeat(pulseMs, () => this.#pulse());
    void this.#repeat(namesMs, () => this.names());
  }

  /** Its newest messages, then all that follow them. */
  async join(channel: ChannelName): Promise<void> {
    const { client, dispatch, hear } = this.#parts;
    const wish = {};
    this.#wishes.set(channel, wish);
    const isWanted = () => this.#wishes.get(channel) === wish;
    try {
      const limit = limits.historyEntriesDefault;
      const page = await this.#patiently(() => client.history({ channel }, { limit }));
      const entries = page.entries as readonly ChannelEntry[];
      // He may have left meanwhile, and come again.
      if (!isWanted()) return;
      dispatch({ type: "joined", channel, entries, next: page.next });
      client.unsubscribe({ channel });
      await this.#patiently(() => client.subscribe({ channel }, hear, { since: page.seen }));
    } catch (error) {
      if (isWanted()) this.#notJoined(channel, error);
    }
  }

  async create(channel: ChannelName): Promise<void> {
    const { client, user, ask, dispatch, text } = this.#parts;
    try {
      await ask(() => client.createChannel(channel, user));
    } catch (error) {
      const isThere = error instanceof ProtocolError && error.code === "channel_exists";
      if (!isThere) return this.#notJoined(channel, error);
      dispatch({ type: "notice", lines: [describe(error, text())] });
    }
    await this.join(channel);
  }

  part(channel: ChannelName): void {
    this.#wishes.delete(channel);
    this.#parts.client.unsubscribe({ channel });
  }

  /** A page of what comes before; of a private conversation perhaps several, to find some. */
  async fetch(target: Target, before: string): Promise<void> {
    const { client, user, ask, dispatch } = this.#parts;
    const key = writeTarget(target);
    const { name, has } = conversationOf(target, () => user);
    try {
      let next: string | undefined = before;
      let found: Entry[] = [];
      while (next !== undefined && found.length === 0) {
        const place: string = next;
        const page = await ask(() => client.history(name, { before: place }));
        found = page.entries.filter(has);
        next = page.next;
      }
      dispatch({ type: "older", key, before, entries: found, next });
    } catch (error) {
      dispatch({ type: "notOlder", key });
      this.#tell(error);
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
      await pause(againMs / 2, signal);
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

  /** Again and again, as long as another try may help. */
  async #patiently<T>(request: () => Promise<T>): Promise<T> {
    const { ask, signal } = this.#parts;
    for (;;) {
      try {
        return await ask(request);
      } catch (error) {
        if (!(error instanceof ProtocolError) || !error.retry || signal.aborted) throw error;
        await pause(againMs, signal);
      }
    }
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

  #tell(error: unknown): void {
    const { dispatch, signal } = this.#parts;
    const lines = [this.#told(error)];
    if (!signal.aborted) dispatch({ type: "notice", lines, isProblem: true });
  }

  /** @throws the error itself, if no server told it */
  #told(error: unknown): string {
    if (!(error instanceof ProtocolError)) throw error;
    return describe(error, this.#parts.text());
  }
}
