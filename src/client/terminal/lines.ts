import { createInterface } from "node:readline";
import { Problem } from "../../platform/problem.ts";
import { untilStopped } from "../../platform/run-process.ts";
import type { ChannelName, UserName } from "../../protocol/ids.ts";
import type { ChatClient } from "../chat-client.ts";
import { type Context, userOf, withClient } from "../commands/context.ts";
import { enter, logIn } from "../commands/enter.ts";
import { asFailure, Failure, report, wantsLogin } from "../commands/failure.ts";
import { zoneMinutes } from "../commands/output.ts";
import { readPassword } from "../commands/read-password.ts";
import { deliver } from "../commands/send.ts";
import { stateNotes } from "../commands/state-notes.ts";
import { entryLine } from "../core/entry-line.ts";
import { harmless } from "../core/harmless.ts";
import { type Line, parseLine } from "../core/slash-command.ts";
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
  #failed = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async run(): Promise<void> {
    const { context, user } = this.#parts;
    await this.#enter();
    await this.#listen({ user });
    const reader = createInterface({ input: context.host.input, terminal: false });
    try {
      // One after the other: what is written first is said first.
      for await (const text of reader) {
        const line = parseLine(text);
        if (line.type === "quit") break;
        await this.#try(line);
      }
    } finally {
      reader.close();
    }
    const { text } = context;
    if (this.#failed > 0) throw new Problem(text("problem.unsent", { count: this.#failed }));
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

  async #try(line: Exclude<Line, { type: "quit" }>): Promise<void> {
    const { context, client } = this.#parts;
    const { config, text, output } = context;
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
    const { context, client, user } = this.#parts;
    const { text, output } = context;
    switch (line.type) {
      case "nothing":
        return;
      case "text":
        if (this.#current === undefined) throw new Problem(text("lines.noChannel"));
        return this.#send({ channel: this.#current }, line.text);
      case "message":
        return this.#send({ user: line.user }, line.text);
      case "join":
        return this.#join(line.channel);
      case "leave":
        return this.#leave(line.channel);
      case "create":
        await client.createChannel(line.channel, user);
        return output.note(text("done.create", { channel: line.channel }));
      case "users":
        for (const name of await client.users()) output.data({ user: name }, harmless(name));
        return;
      case "channels":
        for (const name of await client.channels()) output.data({ channel: name }, harmless(name));
        return;
      case "help":
        return output.note(text("lines.help"));
      case "wrongUse":
        throw new Problem(text("lines.wrongUse", { usage: line.usage }));
      case "unknown": {
        const { suggestion } = line;
        const command = harmless(line.command);
        throw new Problem(
          suggestion === undefined
            ? text("lines.unknownHelp", { command })
            : text("lines.unknown", { command, suggestion }),
        );
      }
      default:
        line satisfies never;
    }
  }

  async #send(target: Target, message: string): Promise<void> {
    const { client, user } = this.#parts;
    await deliver(client, { user, target, message });
  }

  async #join(channel: ChannelName): Promise<void> {
    const { output, text } = this.#parts.context;
    if (!this.#joined.has(channel)) await this.#listen({ channel });
    this.#joined.add(channel);
    this.#current = channel;
    output.note(text("lines.joined", { channel }));
  }

  #leave(channel: ChannelName): void {
    const { context, client } = this.#parts;
    client.unsubscribe({ channel });
    this.#joined.delete(channel);
    if (this.#current === channel) this.#current = [...this.#joined].at(-1);
    context.output.note(context.text("lines.left", { channel }));
  }

  async #listen(target: Target): Promise<void> {
    const { output } = this.#parts.context;
    await this.#parts.client.subscribe(target, (entry) => {
      const line = entryLine(entry, { paint: output.paint, zoneMinutes, mixed: true });
      output.data(entry, line);
    });
  }
}
