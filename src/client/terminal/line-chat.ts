import { Problem } from "../../platform/problem.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { harmless } from "../../protocol/harmless.ts";
import type { ChannelName, UserName } from "../../protocol/ids.ts";
import { durations } from "../../protocol/limits.ts";
import type { Entry } from "../../protocol/publications.ts";
import type { ConversationName } from "../../protocol/topics.ts";
import { languageOf, type Text, textsIn } from "../../texts/texts.ts";
import type { ChatClient } from "../chat-client.ts";
import type { Context } from "../commands/context.ts";
import { asFailure, describeTrouble, Failure, report, wantsLogin } from "../commands/failure.ts";
import { zoneMinutes } from "../commands/output.ts";
import { linesOf } from "../commands/read-input.ts";
import { deliver, sentSentence } from "../commands/send.ts";
import { entryLine } from "../core/entry-line.ts";
import { commandHelp } from "../core/help.ts";
import { actionPrefix, type Command, type Line, parseLine } from "../core/slash-command.ts";
import type { Target } from "../core/target.ts";
import { Outbox } from "../outbox.ts";
import { readPages } from "../pages.ts";
import { personFiles } from "../person-files.ts";
import { ReadMarks } from "../read-marks.ts";
import { chatWords } from "./chat-words.ts";
import { answerLine, type LineQuestion, usualHistory } from "./line-answers.ts";
import { sendLeft } from "./send-left.ts";

/** Private messages among which those are that came while the person was away. */
const privateEntries = 500;

/** Lines that follow one another without waiting until they are shown. */
const messages: ReadonlySet<Line["type"]> = new Set(["nothing", "text", "me", "message"]);

export interface LineChatParts {
  readonly context: Context;
  readonly client: ChatClient;
  readonly user: UserName;
}

/** The chat of somebody who has entered: lines in, lines out. */
export class LineChat {
  readonly #parts: LineChatParts;
  readonly #marks: ReadMarks;
  readonly #outbox: Outbox;
  readonly #ending = new AbortController();
  /** Of earlier chats in the outbox, as the person was told. */
  #left = 0;
  readonly #joined = new Set<ChannelName>();
  /** Where a text goes. */
  #current: ChannelName | undefined;
  readonly #muted = new Set<ChannelName>();
  /** Channels of which something that was never read lies before what was shown. */
  readonly #unmarked = new Set<ChannelName>();
  #text: Text;
  #state: "online" | "away" = "online";
  #failed = 0;

  /** @throws Problem if what is to be sent can't be kept */
  constructor(parts: LineChatParts) {
    const { context, user } = parts;
    this.#parts = parts;
    this.#text = context.text;
    const files = personFiles(context, user);
    const { output } = context;
    files.onTrouble = (trouble) => output.note(describeTrouble(trouble, this.#text));
    this.#outbox = Outbox.open(files.outboxFolder, () => this.#text);
    for (const trouble of this.#outbox.troubles) files.onTrouble(trouble);
    this.#marks = new ReadMarks(files, user);
  }

  async run(): Promise<void> {
    const { context, client } = this.#parts;
    const { signal } = this.#ending;
    await this.#hearPeople();
    const beating = setInterval(() => this.#beat(), durations.presenceMs);
    // Nobody is kept from ending by it.
    beating.unref();
    this.#beat();
    const outbox = this.#outbox;
    this.#failed += await sendLeft({ context, client, outbox, text: this.#text, signal });
    this.#left = outbox.waiting.length;
    try {
      // One after the other: what is written first is said first.
      for await (const text of linesOf(context.host.input)) {
        const line = parseLine(text);
        if (line.type === "quit" || signal.aborted) break;
        await this.#try(line);
      }
      await client.heardItself();
    } finally {
      clearInterval(beating);
    }
    if (this.#failed > 0) throw new Problem(this.#text("problem.unsent", { count: this.#failed }));
  }

  /** Whoever waits for a receipt is told that the next chat does. */
  close(): void {
    this.#ending.abort();
    const { length: count } = this.#outbox.waiting;
    if (count > this.#left) this.#parts.context.output.note(this.#text("lines.waiting", { count }));
    this.#outbox.close();
    this.#marks[Symbol.dispose]();
  }

  /** What gets lost of this is said again. */
  #beat(): void {
    this.#parts.client.presence(this.#state).catch((error: unknown) => {
      if (!(error instanceof ProtocolError)) throw error;
    });
  }

  async #try(line: Exclude<Line, { type: "quit" }>): Promise<void> {
    const { context, client } = this.#parts;
    const { config, output } = context;
    const text = this.#text;
    try {
      await this.#perform(line);
    } catch (error) {
      if (this.#ending.signal.aborted) return;
      // No line after this one will fare better.
      if (wantsLogin(error)) throw error;
      const failure = asFailure(error, text, { config, client });
      if (!(failure instanceof Failure || failure instanceof Problem)) throw error;
      this.#failed += 1;
      report(failure, output, text);
    }
  }

  async #perform(line: Exclude<Line, { type: "quit" }>): Promise<void> {
    // The messages said before a command are shown before its answer.
    if (!messages.has(line.type)) await this.#parts.client.heardItself();
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
        if (line.text === undefined) throw this.#wrongUse("/msg");
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
      case "lang":
        return this.#speak(line.language);
      case "create":
        return this.#create(line.channel);
      case "away":
        return this.#away();
      default:
        return this.#answer(line);
    }
  }

  async #create(channel: ChannelName): Promise<void> {
    const { context, client, user } = this.#parts;
    await client.createChannel(channel, user);
    context.output.note(this.#text("done.create", { channel }));
    return this.#join(channel);
  }

  async #away(): Promise<void> {
    const { context, client } = this.#parts;
    this.#state = this.#state === "away" ? "online" : "away";
    await client.presence(this.#state);
    context.output.note(this.#text(this.#state === "away" ? "chat.isAway" : "chat.isBack"));
  }

  #answer(question: LineQuestion): Promise<void> {
    const { context, client } = this.#parts;
    const here = () => this.#here();
    const show = (entry: Entry) => this.#show(entry);
    const parts = { context, client, text: this.#text, state: this.#state, here, show };
    return answerLine(question, parts);
  }

  /** @throws Problem if no channel was joined */
  #here(): { readonly channel: ChannelName } {
    if (this.#current === undefined) throw new Problem(this.#text("lines.noChannel"));
    return { channel: this.#current };
  }

  #wrongUse(command: Command): Problem {
    const { usage } = commandHelp(chatWords(this.#text), command);
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

  #speak(name: string): void {
    const language = languageOf(name);
    if (language === undefined) throw new Problem(this.#text("problem.lang", { value: name }));
    this.#text = textsIn(language);
  }

  /** What is muted is heard, and not shown. */
  #mute(channel: ChannelName): void {
    const isMuted = !this.#muted.delete(channel);
    if (isMuted) this.#muted.add(channel);
    const name = `#${channel}`;
    const said = this.#text(isMuted ? "lines.muted" : "chat.unmuted", { name });
    this.#parts.context.output.note(said);
  }

  async #send(target: Target, message: string): Promise<void> {
    const { context, client, user } = this.#parts;
    const { id } = this.#outbox.add(target, user, message);
    try {
      const { receipt } = await deliver(client, { user, target, message, id });
      if (receipt === undefined) context.output.note(sentSentence(this.#text, target, receipt));
    } finally {
      // Of a failure he is told: then it is his again. An outbox that is closed keeps it.
      this.#outbox.settle(id);
    }
  }

  async #join(channel: ChannelName): Promise<void> {
    if (!this.#joined.has(channel)) await this.#listen({ channel });
    this.#joined.add(channel);
    this.#current = channel;
    this.#parts.context.output.note(this.#text("lines.joined", { channel }));
  }

  #part(channel: ChannelName): void {
    const { context, client } = this.#parts;
    client.unsubscribe({ channel });
    this.#joined.delete(channel);
    if (this.#current === channel) this.#current = [...this.#joined].at(-1);
    context.output.note(this.#text("lines.left", { channel }));
  }

  /** What came while he was away, and all that follows. */
  async #hearPeople(): Promise<void> {
    const { client, user } = this.#parts;
    if (this.#marks.isNew) {
      // Who is new has missed nothing.
      const { entries } = await readPages(client, { user }, { most: privateEntries });
      for (const entry of entries) this.#marks.add(entry);
      this.#marks.save();
    }
    await this.#listen({ user });
  }

  /** To what is past first, then to all that follows. */
  async #listen(name: ConversationName): Promise<void> {
    const { client } = this.#parts;
    const most = name.user === undefined ? usualHistory : privateEntries;
    const { entries, next, seen } = await readPages(client, name, { most });
    const [oldest] = entries;
    // What lies before it has not been shown: the full screen still has it to tell.
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
    const { output } = this.#parts.context;
    output.data(entry, entryLine(entry, { paint: output.paint, zoneMinutes, mixed: true }));
    if (!("channel" in entry && this.#unmarked.has(entry.channel))) this.#marks.add(entry);
  }
}
