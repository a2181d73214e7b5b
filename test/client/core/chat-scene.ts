import type { ChatEvent } from "../../../src/client/core/chat-events.ts";
import {
  beginning,
  type ChatModel,
  nothingSaved,
  type SavedChat,
} from "../../../src/client/core/chat-model.ts";
import { add } from "../../../src/client/core/chat-steps.ts";
import { update } from "../../../src/client/core/chat-update.ts";
import { view } from "../../../src/client/core/chat-view.ts";
import { decodeKeys } from "../../../src/client/core/keys.ts";
import type { Outgoing } from "../../../src/client/core/outgoing.ts";
import type { UserName } from "../../../src/protocol/ids.ts";
import type { ChannelEntry, PrivateEntry } from "../../../src/protocol/publications.ts";
import { textsIn } from "../../../src/texts/texts.ts";

const server = "server_0a1b2c3d" as never;
const firstMs = Date.parse("2026-01-31T08:00:00Z");

/** The chat of the user ana, without a terminal or servers. */
export class ChatScene {
  model: ChatModel;
  /** All effects except `save`. */
  readonly effects: object[] = [];
  saves = 0;
  #seq = 0;

  constructor(columns = 80, rows = 24, language: "en" | "pt-br" = "en") {
    this.model = beginning({
      me: "ana" as UserName,
      words: textsIn(language),
      language,
      size: { columns, rows },
      nowMs: firstMs,
      zoneMinutes: () => 0,
    });
  }

  on(event: ChatEvent): this {
    const { model, effects } = update(this.model, event);
    this.model = model;
    const others = effects.filter(({ type }) => type !== "save");
    this.saves += effects.length - others.length;
    this.effects.push(...others);
    return this;
  }

  /**
   * Starts the chat from the saved state. It joins the saved channels, or `channels` if none is
   * saved; all are empty.
   */
  start(channels: readonly string[] = ["geral"], saved: SavedChat = nothingSaved): this {
    this.on({ type: "started", saved, channels });
    for (const channel of saved.joined.length > 0 ? saved.joined : channels) {
      this.join(channel);
    }
    return this.on({ type: "connection", connection: { state: "connected" } });
  }

  join(channel: string, entries: readonly ChannelEntry[] = [], next?: string): this {
    const target = { channel: channel as never };
    this.model = add(this.model, target);
    return this.on({ type: "joined", target, entries, next });
  }

  /** Returns a new message, one minute after the previous message. */
  message(channel: string, user: string, message: string): ChannelEntry {
    const { seq, timestamp } = this.#next();
    const names = { channel: channel as never, user: user as never };
    return { ...names, message, timestamp, clock: seq, id: `${user}-${seq}`, server, seq };
  }

  privately(src: string, dst: string, message: string): PrivateEntry {
    const { seq, timestamp } = this.#next();
    const names = { src: src as never, dst: dst as never };
    return { ...names, message, timestamp, clock: seq, id: `${src}-${seq}`, server, seq };
  }

  says(channel: string, user: string, text: string): this {
    return this.on({ type: "entries", entries: [this.message(channel, user, text)] });
  }

  /** Types `input`, the characters that a terminal sends. */
  types(input: string): this {
    for (const key of decodeKeys(input, true).keys) this.on({ type: "key", key });
    return this;
  }

  /** The screen's text, without spaces at the ends of lines. */
  get screen(): string {
    const { lines } = view(this.model);
    return `\n${lines
      .map((line) =>
        line
          .map(({ text }) => text)
          .join("")
          .trimEnd(),
      )
      .join("\n")}\n`;
  }

  #next() {
    this.#seq += 1;
    const timestamp = new Date(firstMs + this.#seq * 60_000).toISOString();
    return { seq: this.#seq, timestamp };
  }
}

/** A message to #geral that is not yet sent. */
export const outgoing = (id: string, text: string): Outgoing => ({
  id: id as never,
  user: "ana" as never,
  target: { channel: "geral" as never },
  text,
  atMs: Date.parse("2026-01-31T08:30:00Z"),
});
