import { once } from "node:events";
import { zoneMinutes } from "../../platform/clock.ts";
import type { ProtocolError } from "../../protocol/errors.ts";
import { harmless } from "../../protocol/harmless.ts";
import { type ChannelName, characters, type UserName } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import type { Entry } from "../../protocol/publications.ts";
import type { Text } from "../../texts/texts.ts";
import { type ClientEvents, type Context, withClient } from "../commands/context.ts";
import { describe } from "../commands/failure.ts";
import { deliver, sentSentence } from "../commands/send.ts";
import { stateNotes } from "../commands/state-notes.ts";
import { entryLine } from "../core/entry-line.ts";
import { parseChannel, parseUser, type Target } from "../core/target.ts";
import type { Session } from "../session.ts";
import { ChatSession } from "./chat-session.ts";
import { type DialogueParts, LoginFlow, tell } from "./login-flow.ts";
import { type Prompts, withPrompts } from "./prompts.ts";

/** The actions of the menu, in their order. */
const actions = ["users", "create", "channels", "join", "publish", "message", "quit"] as const;

/** Number of past entries shown when a channel is joined. */
const shownOnJoin = 10;

/**
 * `tertulia menu`, until the person quits or a signal arrives.
 * @throws Problem if the process has no terminal, or the login fails
 */
export async function runMenu(context: Context): Promise<void> {
  const { config, output } = context;
  await withPrompts(context, async (prompts, stopping) => {
    const use = async (client: Session, events: ClientEvents) => {
      events.onState = stateNotes(context, (line) => prompts.print(output.paint("yellow", line)));
      const loginFlow = new LoginFlow({ context, client, prompts });
      const user = await loginFlow.enter();
      const menu = new Menu({ context, client, prompts, loginFlow, user, stopping });
      events.onRefused = (error) => menu.refused(error);
      await menu.run();
    };
    const stopped = once(stopping, "abort");
    await withClient(context, (...given) => Promise.race([use(...given), stopped]), {
      proxies: config.proxies,
    });
  });
  output.line(context.text("menu.bye"));
}

interface Parts extends DialogueParts {
  readonly loginFlow: LoginFlow;
  readonly user: UserName;
  readonly stopping: AbortSignal;
}

class Menu {
  readonly #parts: Parts;
  readonly #client: Session;
  readonly #prompts: Prompts;
  readonly #session: ChatSession;
  /** The subscribed channels, in the order in which the person joined them. */
  readonly #joined = new Set<ChannelName>();
  readonly #acts = {
    users: () => this.#listUsers(),
    create: () => this.#create(),
    channels: () => this.#listChannels(),
    join: () => this.#join(),
    publish: () => this.#publish(),
    message: () => this.#message(),
  };

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#client = parts.client;
    this.#prompts = parts.prompts;
    const { context, loginFlow, user, stopping: signal } = parts;
    const logIn = (error: ProtocolError) => {
      if (this.#session.isNews(error)) {
        this.#print(context.output.paint("red", describe(error, context.text)));
      }
      return loginFlow.again(user);
    };
    this.#session = new ChatSession({ ...parts, signal, logIn });
  }

  get #text(): Text {
    return this.#parts.context.text;
  }

  async run(): Promise<void> {
    const { user } = this.#parts;
    const show = (entry: Entry) => this.#show(entry);
    await this.#session.ask(() => this.#client.subscribe({ user }, show));
    this.#print(this.#text("menu.welcome", { user }));
    const choices = actions.map((value) => ({ value, name: this.#text(`menu.${value}`) }));
    for (;;) {
      const action = await this.#prompts.choose(this.#text("menu.title"), choices);
      if (action === "quit") return;
      try {
        await this.#acts[action]();
      } catch (error) {
        tell(error, this.#parts);
      }
    }
  }

  /** Handles a refused subscription: tells the person at once, even during a question. */
  refused(error: ProtocolError): void {
    if (this.#session.isNews(error)) tell(error, this.#parts);
  }

  async #listUsers(): Promise<void> {
    const users = await this.#session.ask(() => this.#client.users());
    this.#print(this.#text("menu.userList", { count: users.length }));
    for (const user of users) this.#print(`  @${harmless(user)}`);
  }

  async #listChannels(): Promise<void> {
    const channels = await this.#session.ask(() => this.#client.channels());
    if (channels.length === 0) return this.#print(this.#text("menu.noChannels"));
    this.#print(this.#text("menu.channelList", { count: channels.length }));
    for (const channel of channels) {
      const mark = this.#joined.has(channel) ? " *" : "";
      this.#print(`  #${harmless(channel)}${mark}`);
    }
  }

  async #create(): Promise<void> {
    const text = this.#text;
    const answer = await this.#prompts.line(text("menu.askChannelName"), (name) =>
      name === "" || parseChannel(name) ? undefined : text("problem.name", { name }),
    );
    const channel = parseChannel(answer);
    if (channel === undefined) return;
    await this.#session.ask(() => this.#client.createChannel(channel));
    this.#print(text("done.create", { channel }));
  }

  async #join(): Promise<void> {
    const channel = await this.#askChannel();
    if (channel === undefined) return;
    if (this.#joined.has(channel)) {
      return this.#print(this.#text("menu.alreadyJoined", { channel }));
    }
    const show = (entry: Entry) => this.#show(entry);
    await this.#session.ask(() => this.#client.subscribe({ channel }, show, { last: shownOnJoin }));
    this.#joined.add(channel);
    this.#print(this.#text("menu.joined", { channel }));
  }

  async #publish(): Promise<void> {
    const channel = await this.#askChannel();
    if (channel !== undefined) await this.#write({ channel });
  }

  async #message(): Promise<void> {
    const users = await this.#session.ask(() => this.#client.users());
    const others = users.filter((name) => name !== this.#parts.user);
    if (others.length === 0) return this.#print(this.#text("menu.noUsers"));
    const user = parseUser(await this.#prompts.search(this.#text("menu.askUser"), others));
    if (user !== undefined) await this.#write({ user });
  }

  /** Asks for a channel. Joined channels come first. */
  async #askChannel(): Promise<ChannelName | undefined> {
    const known = await this.#session.ask(() => this.#client.channels());
    const channels = [...new Set([...[...this.#joined].reverse(), ...known])];
    if (channels.length > 0) {
      return parseChannel(await this.#prompts.search(this.#text("menu.askChannel"), channels));
    }
    this.#print(this.#text("menu.noChannels"));
    return undefined;
  }

  async #write(target: Target): Promise<void> {
    const { user } = this.#parts;
    const most = limits.messageCharacters;
    const text = await this.#prompts.line(this.#text("menu.askText"), (answer) =>
      characters(answer) > most ? this.#text("problem.messageTooLong", { most }) : undefined,
    );
    if (text === "") return;
    const send = () => deliver(this.#client, { user, target, text });
    const { receipt } = await this.#session.ask(send);
    // In a joined channel, the subscription shows the person's own message, so no other line is
    // printed.
    if (target.channel !== undefined && this.#joined.has(target.channel)) return;
    this.#print(sentSentence(this.#text, target, receipt));
  }

  #show(entry: Entry): void {
    const { paint } = this.#parts.context.output;
    this.#print(entryLine(entry, { paint, zoneMinutes, mixed: true }));
  }

  #print(line: string): void {
    this.#prompts.print(line);
  }
}
