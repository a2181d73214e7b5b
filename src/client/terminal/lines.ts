import { createInterface } from "node:readline";
import { ReferenceLink } from "../../net/reference-link.ts";
import { Problem } from "../../platform/problem.ts";
import { untilStopped } from "../../platform/run-process.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { ChannelName, UserName } from "../../protocol/ids.ts";
import { LamportClock } from "../../protocol/lamport-clock.ts";
import { durations } from "../../protocol/limits.ts";
import type { Entry } from "../../protocol/messages.ts";
import { languageOf, type Text, textsIn } from "../../texts/texts.ts";
import type { ChatClient } from "../chat-client.ts";
import { type Context, userOf, withClient } from "../commands/context.ts";
import { enter, logIn } from "../commands/enter.ts";
import { asFailure, Failure, report, wantsLogin } from "../commands/failure.ts";
import { zoneMinutes } from "../commands/output.ts";
import { readPassword } from "../commands/read-password.ts";
import { deliver } from "../commands/send.ts";
import { stateNotes } from "../commands/state-notes.ts";
import { statusLines } from "../commands/status.ts";
import { entryLine } from "../core/entry-line.ts";
import { harmless } from "../core/harmless.ts";
import { actionPrefix, commands, type Line, parseLine } from "../core/slash-command.ts";
import type { Target } from "../core/target.ts";

/**
 * `tertulia chat` without a terminal: lines in, lines out, until the input ends.
 * @throws Problem (exit code 1) at the end if a line could not be done
 */
export async function runLines(context: Context): Promise<void> {
  const { config, text, output } = context;
  const user = userOf(context);
  const stopped = untilStopped();
  const use = (client: ChatClient) =>
    Promise.race([new LineChat({ context, client, user }).run(), stopped]);
  const onState = stateNotes(text, (line) => output.note(line));
  try {
    await withClient(context, use, { proxies: config.proxies, onState });
  } finally {
    // There may be more of it, which nobody waits for.
    context.host.input.destroy();
  }
}

/** Lines of the past that `/history` shows unless told. */
const usualHistory = 20;

type Asking = Exclude<
  Line,
  {
    readonly type:
      | "nothing"
      | "text"
      | "me"
      | "message"
      | "wrongUse"
      | "unknown"
      | "join"
      | "part"
      | "mute"
      | "lang"
      | "quit";
  }
>;

interface Parts {
  readonly context: Context;
  readonly client: ChatClient;
  readonly user: UserName;
}

class LineChat {
  readonly #parts: Parts;
  readonly #joined = new Set<ChannelName>();
  /** Where a text goes. */
  #current: ChannelName | undefined;
  readonly #muted = new Set<ChannelName>();
  #text: Text;
  #state: "online" | "away" = "online";
  #failed = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#text = parts.context.text;
  }

  async run(): Promise<void> {
    const { context, user } = this.#parts;
    await this.#enter();
    await this.#listen({ user });
    const beating = setInterval(() => this.#beat(), durations.presenceMs);
    // Nobody is kept from ending by it.
    beating.unref();
    this.#beat();
    const reader = createInterface({ input: context.host.input, terminal: false });
    try {
      // One after the other: what is written first is said first.
      for await (const text of reader) {
        const line = parseLine(text);
        if (line.type === "quit") break;
        await this.#try(line);
      }
    } finally {
      clearInterval(beating);
      reader.close();
    }
    if (this.#failed > 0) throw new Problem(this.#text("problem.unsent", { count: this.#failed }));
  }

  async #enter(): Promise<void> {
    const { client, context, user } = this.#parts;
    const refusal = await enter(context, client, user);
    if (refusal === undefined) return;
    // Without a terminal the input is the talk: a password in it would be said to everybody.
    const canAsk = context.host.input.isTTY || context.config.passwordFile !== undefined;
    if (!canAsk) throw refusal;
    await logIn(context, client, { user, password: await readPassword(context) });
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
      // No line after this one will fare better.
      if (wantsLogin(error)) throw error;
      const failure = asFailure(error, text, { config, client });
      if (!(failure instanceof Failure || failure instanceof Problem)) throw error;
      this.#failed += 1;
      report(failure, output, text);
    }
  }

  async #perform(line: Exclude<Line, { type: "quit" }>): Promise<void> {
    switch (line.type) {
      case "nothing":
        return;
      case "text":
        return this.#send(this.#here(), line.text);
      case "me":
        return this.#send(this.#here(), actionPrefix + line.text);
      case "message":
        if (line.text === undefined) throw this.#wrongUse("/msg ana text");
        return this.#send({ user: line.user }, line.text);
      case "wrongUse":
        throw this.#wrongUse(line.usage);
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
      default:
        return this.#ask(line);
    }
  }

  /** What the servers know. */
  async #ask(line: Asking): Promise<void> {
    const { context, client, user } = this.#parts;
    const { output } = context;
    switch (line.type) {
      case "create":
        await client.createChannel(line.channel, user);
        return output.note(this.#text("done.create", { channel: line.channel }));
      case "users":
        for (const name of await client.users()) output.data({ user: name }, harmless(name));
        return;
      case "channels":
        for (const name of await client.channels()) output.data({ channel: name }, harmless(name));
        return;
      case "who":
        for (const present of await client.presence(this.#state)) {
          const away = present.state === "away" ? ` (${this.#text("chat.away")})` : "";
          output.data(present, harmless(present.user) + away);
        }
        return;
      case "away":
        this.#state = this.#state === "away" ? "online" : "away";
        await client.presence(this.#state);
        return output.note(this.#text(this.#state === "away" ? "chat.isAway" : "chat.isBack"));
      case "time": {
        const time = await client.time();
        return output.data({ time }, time);
      }
      case "history": {
        const page = await client.history(this.#here(), { limit: line.count ?? usualHistory });
        for (const entry of page.entries) this.#show(entry);
        return;
      }
      case "status":
        for (const told of await this.#status()) output.data({ status: told }, told);
        return;
      case "help":
        for (const command of commands) {
          output.note(this.#text(`chat.command.${command.slice(1) as "join"}`));
        }
        return;
      default:
        line satisfies never;
    }
  }

  async #status(): Promise<string[]> {
    const { context, client } = this.#parts;
    const link = new ReferenceLink(context.config.reference, new LamportClock());
    try {
      return await statusLines({ ...context, text: this.#text }, { client, link });
    } finally {
      link.close();
    }
  }

  /** @throws Problem if no channel was joined */
  #here(): { readonly channel: ChannelName } {
    if (this.#current === undefined) throw new Problem(this.#text("lines.noChannel"));
    return { channel: this.#current };
  }

  #wrongUse(usage: string): Problem {
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
    const { client, user } = this.#parts;
    await deliver(client, { user, target, message });
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

  async #listen(target: Target): Promise<void> {
    await this.#parts.client.subscribe(target, (entry) => {
      if (!("channel" in entry && this.#muted.has(entry.channel))) this.#show(entry);
    });
  }

  #show(entry: Entry): void {
    const { output } = this.#parts.context;
    output.data(entry, entryLine(entry, { paint: output.paint, zoneMinutes, mixed: true }));
  }
}
