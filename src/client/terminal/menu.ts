import { once } from "node:events";
import type { ProtocolError } from "../../protocol/errors.ts";
import { harmless } from "../../protocol/harmless.ts";
import { type ChannelName, characters, type UserName } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import type { Entry } from "../../protocol/publications.ts";
import type { ChatClient } from "../chat-client.ts";
import { type ClientEvents, type Context, withClient } from "../commands/context.ts";
import { describe } from "../commands/failure.ts";
import { deliver, sentSentence } from "../commands/send.ts";
import { stateNotes } from "../commands/state-notes.ts";
import { parseChannel, parseUser, type Target } from "../core/target.ts";
import { ChatSession } from "./chat-session.ts";
import { type DialogueParts, LoginFlow, tell } from "./login-flow.ts";
import { withPrompts } from "./prompts.ts";

/** What the menu offers, in its order. */
const actions = ["users", "create", "channels", "join", "publish", "message", "quit"] as const;

/** Past entries that a channel shows when it is joined. */
const shownOnJoin = 10;

/**
 * `tertulia menu`, until the person quits or a signal comes.
 * @throws Problem if there is no terminal, or the login fails
 */
export async function runMenu(context: Context): Promise<void> {
  const { config, output } = context;
  await withPrompts(context, async (prompts, stopping) => {
    const use = async (client: ChatClient, events: ClientEvents) => {
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
  readonly #session: ChatSession;
  /** The channels that are listened to, the last one joined at the end. */
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
    const { loginFlow, user, stopping: signal } = parts;
    const logIn = (error: ProtocolError) => {
      this.#tellRefusal(error);
      return loginFlow.again(user);
    };
    this.#session = new ChatSession({ ...parts, signal, logIn });
  }

  async run(): Promise<void> {
    const { context, client, prompts, user } = this.#parts;
    const { text } = context;
    await this.#session.ask(() => client.subscribe({ user }, (entry) => this.#show(entry)));
    this.#print(text("menu.welcome", { user }));
    const choices = actions.map((value) => ({ value, name: text(`menu.${value}`) }));
    for (;;) {
      const action = await prompts.choose(text("menu.title"), choices);
      if (action === "quit") return;
      try {
        await this.#acts[action]();
      } catch (error) {
        tell(error, this.#parts);
      }
    }
  }

  /** Others' messages do not come any more: the person is told at once, whatever is being asked. */
  refused(error: ProtocolError): void {
    if (this.#session.isNews(error)) tell(error, this.#parts);
  }

  #tellRefusal(error: ProtocolError): void {
    const { text, output } = this.#parts.context;
    if (this.#session.isNews(error)) this.#print(output.paint("red", describe(error, text)));
  }

  async #listUsers(): Promise<void> {
    const { context, client } = this.#parts;
    const users = await this.#session.ask(() => client.users());
    this.#print(context.text("menu.userList", { count: users.length }));
    for (const user of users) this.#print(`  @${harmless(user)}`);
  }

  async #listChannels(): Promise<void> {
    const { context, client } = this.#parts;
    const channels = await this.#session.ask(() => client.channels());
    if (channels.length === 0) return this.#print(context.text("menu.noChannels"));
    this.#print(context.text("menu.channelList", { count: channels.length }));
    for (const channel of channels) {
      const mark = this.#joined.has(channel) ? " *" : "";
      this.#print(`  #${harmless(channel)}${mark}`);
    }
  }

  async #create(): Promise<void> {
    const { context, client, prompts, user } = this.#parts;
    const { text } = context;
    const answer = await prompts.line(text("menu.askChannelName"), (name) =>
      name === "" || parseChannel(name) ? undefined : text("problem.name", { name }),
    );
    const channel = parseChannel(answer);
    if (channel === undefined) return;
    await this.#session.ask(() => client.createChannel(channel, user));
    this.#print(text("done.create", { channel }));
  }

  async #join(): Promise<void> {
    const channel = await this.#askChannel();
    if (channel === undefined) return;
    const { context, client } = this.#parts;
    if (this.#joined.has(channel)) {
      return this.#print(context.text("menu.alreadyJoined", { channel }));
    }
    const listen = () =>
      client.subscribe({ channel }, (entry) => this.#show(entry), { last: shownOnJoin });
    await this.#session.ask(listen);
    this.#joined.add(channel);
    this.#print(context.text("menu.joined", { channel }));
  }

  async #publish(): Promise<void> {
    const channel = await this.#askChannel();
    if (channel !== undefined) await this.#write({ channel });
  }

  async #message(): Promise<void> {
    const { context, client, prompts, user } = this.#parts;
    const others = (await this.#session.ask(() => client.users())).filter((name) => name !== user);
    if (others.length === 0) return this.#print(context.text("menu.noUsers"));
    const other = parseUser(await prompts.search(context.text("menu.askUser"), others));
    if (other !== undefined) await this.#write({ user: other });
  }

  /** Channels that are joined come first. */
  async #askChannel(): Promise<ChannelName | undefined> {
    const { context, client, prompts } = this.#parts;
    const joined = [...this.#joined].reverse();
    const others = (await this.#session.ask(() => client.channels())).filter(
      (channel) => !this.#joined.has(channel),
    );
    const channels = [...joined, ...others];
    if (channels.length === 0) this.#print(context.text("menu.noChannels"));
    else return parseChannel(await prompts.search(context.text("menu.askChannel"), channels));
    return undefined;
  }

  async #write(target: Target): Promise<void> {
    const { context, client, prompts, user } = this.#parts;
    const { text } = context;
    const most = limits.messageCharacters;
    const message = await prompts.line(text("menu.askText"), (answer) =>
      characters(answer) > most ? text("problem.messageTooLong", { most }) : undefined,
    );
    if (message === "") return;
    const { receipt } = await this.#session.ask(() =>
      deliver(client, { user, target, text: message }),
    );
    // In a joined channel the person sees their own words come back.
    if (target.channel !== undefined && this.#joined.has(target.channel)) return;
    this.#print(sentSentence(text, target, receipt));
  }

  #show(entry: Entry): void {
    this.#print(this.#parts.context.output.lineOf(entry, true));
  }

  #print(line: string): void {
    this.#parts.prompts.print(line);
  }
}
