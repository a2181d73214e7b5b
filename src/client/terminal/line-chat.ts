import { zoneMinutes } from "../../platform/clock.ts";
import { Problem } from "../../platform/problem.ts";
import { harmless } from "../../protocol/harmless.ts";
import type { ChannelName } from "../../protocol/ids.ts";
import type { Entry } from "../../protocol/publications.ts";
import type { ConversationName } from "../../protocol/topics.ts";
import type { Text } from "../../texts/texts.ts";
import { speak } from "../commands/context.ts";
import { asFailure, describeTrouble, wantsLogin } from "../commands/failure.ts";
import { linesOf } from "../commands/read-input.ts";
import { report } from "../commands/report.ts";
import { deliver, sentSentence } from "../commands/send.ts";
import { entryLine } from "../core/entry-line.ts";
import { commandHelp } from "../core/help.ts";
import { actionPrefix, type Command, type Line, parseLine } from "../core/slash-command.ts";
import type { Target } from "../core/target.ts";
import { Outbox } from "../outbox.ts";
import { readPages } from "../pages.ts";
import { type PersonFiles, personFiles } from "../person-files.ts";
import { ReadMarks } from "../read-marks.ts";
import { ChatSession, type ChatSessionParts, privateEntries } from "./chat-session.ts";
import { answerLine, type LineQuestion, usualHistory } from "./line-answers.ts";
import { sendLeft } from "./send-left.ts";

/**
 * Types of lines that are performed at once. Other lines wait until all sent messages are shown.
 */
const messages: ReadonlySet<Line["type"]> = new Set(["nothing", "text", "me", "message"]);

export type LineChatParts = Pick<ChatSessionParts, "context" | "client" | "user">;

/** The chat of a logged-in person in line mode. */
export class LineChat {
  readonly #session: ChatSession;
  readonly #files: PersonFiles;
  readonly #marks: ReadMarks;
  readonly #outbox: Outbox;
  readonly #ending = new AbortController();
  /** Number of unsent messages of previous chats; `sendLeft` has reported them to the person. */
  #left = 0;
  readonly #joined = new Set<ChannelName>();
  /** The channel to which a text is sent. */
  #current: ChannelName | undefined;
  readonly #muted = new Set<ChannelName>();
  /** Channels with unread entries that were not shown; their read marks are not raised. */
  readonly #unmarked = new Set<ChannelName>();
  #failed = 0;

  /** @throws Problem if the outbox can't be opened */
  constructor(parts: LineChatParts) {
    const { context, user } = parts;
    const { signal } = this.#ending;
    // Line mode has no dialogue in which the person could log in.
    this.#session = new ChatSession({ ...parts, signal, logIn: async () => false });
    const files = personFiles(context, user);
    files.onTrouble = (trouble) => context.output.note(describeTrouble(trouble, context.text));
    this.#files = files;
    this.#outbox = Outbox.open(files.outboxFolder, () => context.text);
    for (const trouble of this.#outbox.troubles) files.onTrouble(trouble);
    this.#marks = new ReadMarks(files, user);
  }

  async run(): Promise<void> {
    await this.#hearPeople();
    void this.#session.beat();
    this.#failed += await sendLeft(this.#session, this.#outbox);
    this.#left = this.#outbox.waiting.length;
    // Performs the lines one by one, so that messages are sent in the order of the lines.
    for await (const text of linesOf(this.#session.context.host.input)) {
      const line = parseLine(text);
      if (line.type === "quit" || this.#ending.signal.aborted) break;
      await this.#try(line);
    }
    await this.#session.client.heardItself();
    if (this.#failed > 0) throw new Problem(this.#text("problem.unsent", { count: this.#failed }));
  }

  /**
   * Ends the chat. Messages without a receipt stay for the next chat, and a note reports how many.
   */
  close(): void {
    this.#ending.abort();
    const { length: count } = this.#outbox.waiting;
    if (count > this.#left) this.#note(this.#text("lines.waiting", { count }));
    this.#outbox.close();
    this.#files.saveNow();
  }

  /** Texts in the person's current language. */
  get #text(): Text {
    return this.#session.context.text;
  }

  #note(line: string): void {
    this.#session.context.output.note(line);
  }

  async #try(line: Exclude<Line, { type: "quit" }>): Promise<void> {
    const { context, client } = this.#session;
    try {
      await this.#perform(line);
    } catch (error) {
      if (this.#ending.signal.aborted) return;
      // Line mode can't log the person in again. Without a session all further lines would fail
      // too, so the chat ends.
      if (wantsLogin(error)) throw error;
      const failure = asFailure(error, context, client);
      if (!(failure instanceof Problem)) throw error;
      this.#failed += 1;
      report(failure, context.output, context.text);
    }
  }

  async #perform(line: Exclude<Line, { type: "quit" }>): Promise<void> {
    // Messages sent before a command are shown before the command's answer.
    if (!messages.has(line.type)) await this.#session.client.heardItself();
    switch (line.type) {
      case "nothing":
        return;
      case "text":
        return this.#send(this.#here(), line.text);
      case "likeAction":
        throw new Problem(this.#text("chat.likeAction"));
      case "me":
        return this.#send(this.#here(), actionPrefix + line.text);
      case "message":
        if (line.text === undefined) throw this.#wrongUse("msg");
        return this.#send({ user: line.user }, line.text);
      case "wrongUse":
        throw this.#wrongUse(line.command);
      case "unknown":
        throw this.#unknown(line);
      case "join":
        return this.#join(line.channel);
      case "part":
        return this.#part(line.channel ?? this.#here().channel);
      case "mute":
        return this.#mute(line.channel ?? this.#here().channel);
      case "duel":
        throw new Problem(this.#text("duel.screenOnly"));
      case "lang":
        return speak(this.#session.context, line.language);
      case "create":
        return this.#create(line.channel);
      case "away":
        return this.#away();
      default:
        return this.#answer(line);
    }
  }

  async #create(channel: ChannelName): Promise<void> {
    const { client } = this.#session;
    await client.createChannel(channel);
    this.#note(this.#text("done.create", { channel }));
    return this.#join(channel);
  }

  async #away(): Promise<void> {
    const session = this.#session;
    session.isAway = !session.isAway;
    await session.presence();
    this.#note(this.#text(session.isAway ? "chat.isAway" : "chat.isBack"));
  }

  #answer(question: LineQuestion): Promise<void> {
    const session = this.#session;
    const here = () => this.#here();
    const show = (entry: Entry) => this.#show(entry);
    return answerLine(question, { session, here, show });
  }

  /** @throws Problem if no channel was joined */
  #here(): { readonly channel: ChannelName } {
    if (this.#current === undefined) throw new Problem(this.#text("lines.noChannel"));
    return { channel: this.#current };
  }

  #wrongUse(command: Command): Problem {
    const { usage } = commandHelp(this.#text, command);
    return new Problem(this.#text("chat.wrongUse", { usage }));
  }

  #unknown({ command: typed, suggestion }: Line & { readonly type: "unknown" }): Problem {
    const command = harmless(typed);
    return new Problem(
      suggestion === undefined
        ? this.#text("chat.unknownHelp", { command })
        : this.#text("chat.unknown", { command, suggestion }),
    );
  }

  /**
   * Mutes a channel, or unmutes a muted one. Entries of a muted channel arrive, but are not shown.
   */
  #mute(channel: ChannelName): void {
    const isMuted = !this.#muted.delete(channel);
    if (isMuted) this.#muted.add(channel);
    const name = `#${channel}`;
    this.#note(this.#text(isMuted ? "lines.muted" : "chat.unmuted", { name }));
  }

  async #send(target: Target, message: string): Promise<void> {
    const { client, user } = this.#session;
    const outgoing = this.#outbox.add(target, user, message);
    try {
      const { receipt } = await deliver(client, outgoing);
      if (receipt === undefined) this.#note(sentSentence(this.#text, target, receipt));
    } finally {
      // The person sees why a message failed, so a later chat must not send it. After the end of
      // the chat, this call does nothing, so the closed outbox keeps the message for the next chat.
      this.#outbox.settle(outgoing.id);
    }
  }

  async #join(channel: ChannelName): Promise<void> {
    if (!this.#joined.has(channel)) await this.#listen({ channel });
    this.#joined.add(channel);
    this.#current = channel;
    this.#note(this.#text("lines.joined", { channel }));
  }

  #part(channel: ChannelName): void {
    this.#session.client.unsubscribe({ channel });
    this.#joined.delete(channel);
    if (this.#current === channel) this.#current = [...this.#joined].at(-1);
    this.#note(this.#text("lines.left", { channel }));
  }

  /** Shows the unread private messages, then each new private message. */
  async #hearPeople(): Promise<void> {
    const { client, user } = this.#session;
    if (this.#files.isNew) {
      // A new person has missed no messages, so all present ones count as read.
      const { entries } = await readPages(client, { user }, { most: privateEntries });
      this.#marks.add(entries);
      this.#files.saveNow();
    }
    await this.#listen({ user });
  }

  /** Shows the newest entries, then each new one. */
  async #listen(name: ConversationName): Promise<void> {
    const { client } = this.#session;
    const most = name.user === undefined ? usualHistory : privateEntries;
    const { entries, next, seen } = await readPages(client, name, { most });
    const [oldest] = entries;
    // Entries before the oldest one are not shown, so they stay unread for the full screen.
    const isMissing = next !== undefined && oldest !== undefined && this.#marks.lacks(oldest);
    if (isMissing && name.channel !== undefined) this.#unmarked.add(name.channel);
    const hear = (entry: Entry) => {
      const isKnown = "channel" in entry ? this.#muted.has(entry.channel) : this.#marks.has(entry);
      if (!isKnown) this.#show(entry);
    };
    for (const entry of entries) {
      if ("channel" in entry || entry.dst === name.user) hear(entry);
    }
    await client.subscribe(name, hear, { since: seen });
  }

  #show(entry: Entry): void {
    const { output } = this.#session.context;
    output.data(entry, entryLine(entry, { paint: output.paint, zoneMinutes, mixed: true }));
    if (!("channel" in entry && this.#unmarked.has(entry.channel))) this.#marks.add([entry]);
  }
}
