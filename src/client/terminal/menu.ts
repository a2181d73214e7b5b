import type { ProtocolError } from "../../protocol/errors.ts";
import { harmless } from "../../protocol/harmless.ts";
import { type ChannelName, characters, type UserName } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import type { Entry } from "../../protocol/publications.ts";
import type { ChatClient } from "../chat-client.ts";
import { type Context, withClient } from "../commands/context.ts";
import { describe } from "../commands/failure.ts";
import { zoneMinutes } from "../commands/output.ts";
import { stateNotes } from "../commands/state-notes.ts";
import { entryLine } from "../core/entry-line.ts";
import { parseChannel, parseUser, type Target, writeTarget } from "../core/target.ts";
import { askOn, Entrance } from "./entrance.ts";
import { withPrompts } from "./prompts.ts";
import { type MenuParts, tell } from "./tell.ts";

/** What the menu offers, in its order. */
const actions = ["users", "create", "channels", "join", "publish", "message", "quit"] as const;
type Action = (typeof actions)[number];

/** Entries of the past that a channel shows when it is joined. */
const shownOnJoin = 10;

/**
 * `tertulia menu`: until the person quits, by the menu, Ctrl-C or a signal.
 * @throws Problem if there is no terminal, or the login fails
 */
export async function runMenu(context: Context): Promise<void> {
  const { text, config, output } = context;
  await withPrompts(context, async ({ screen, prompts, stopping }) => {
    const stopped = new Promise<void>((resolve) => {
      stopping.addEventListener("abort", () => resolve(), { once: true });
    });
    let menu: Menu | undefined;
    const use = async (client: ChatClient) => {
      const entrance = new Entrance({ context, client, prompts, screen });
      const user = await entrance.enter();
      menu = new Menu({ context, client, prompts, screen, entrance, user });
      await menu.run();
    };
    await withClient(context, (client) => Promise.race([use(client), stopped]), {
      proxies: config.proxies,
      onState: stateNotes(text, (line) => screen.print(context.output.paint("yellow", line))),
      onRefused: (error) => menu?.refused(error),
    });
  });
  output.line(text("menu.bye"));
}

interface Parts extends MenuParts {
  readonly entrance: Entrance;
  readonly user: UserName;
}

class Menu {
  readonly #parts: Parts;
  /** The channels that are listened to, the last one joined at the end. */
  readonly #joined = new Set<ChannelName>();
  /** Why nothing is served any more, as the person was told. */
  #refusal: string | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async run(): Promise<void> {
    const { context, client, prompts, user } = this.#parts;
    const { text } = context;
    await this.#ask(() => client.subscribe({ user }, (entry) => this.#show(entry)));
    this.#print(text("menu.welcome", { user }));
    const choices = actions.map((value) => ({ value, name: text(`menu.${value}`) }));
    for (;;) {
      const action = await prompts.choose(text("menu.title"), choices);
      if (action === "quit") return;
      try {
        await this.#perform(action);
      } catch (error) {
        tell(error, this.#parts);
      }
    }
  }

  /** What others write does not come any more: told at once, whatever is just being asked. */
  refused(error: ProtocolError): void {
    if (error.message !== this.#refusal) tell(error, this.#parts);
    this.#refusal = error.message;
  }

  async #ask<T>(request: () => Promise<T>): Promise<T> {
    const answer = await askOn(request, (error) => this.#logInAgain(error));
    this.#refusal = undefined;
    return answer;
  }

  /** @throws the error itself, if the person would rather not */
  async #logInAgain(error: ProtocolError): Promise<void> {
    const { context, entrance, user } = this.#parts;
    const { paint } = context.output;
    if (error.message !== this.#refusal) this.#print(paint("red", describe(error, context.text)));
    this.#refusal = error.message;
    if (!(await entrance.again(user))) throw error;
  }

  #perform(action: Exclude<Action, "quit">): Promise<void> {
    switch (action) {
      case "users":
        return this.#listUsers();
      case "channels":
        return this.#listChannels();
      case "create":
        return this.#create();
      case "join":
        return this.#join();
      case "publish":
        return this.#publish();
      case "message":
        return this.#message();
      default:
        action satisfies never;
        throw new Error("no such action");
    }
  }

  async #listUsers(): Promise<void> {
    const { context, client } = this.#parts;
    const users = await this.#ask(() => client.users());
    this.#print(context.text("menu.userList", { count: users.length }));
    for (const user of users) this.#print(`  @${harmless(user)}`);
  }

  async #listChannels(): Promise<void> {
    const { context, client } = this.#parts;
    const channels = await this.#ask(() => client.channels());
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
    await this.#ask(() => client.createChannel(channel, user));
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
    await this.#ask(listen);
    this.#joined.add(channel);
    this.#print(context.text("menu.joined", { channel }));
  }

  async #publish(): Promise<void> {
    const channel = await this.#askChannel();
    if (channel !== undefined) await this.#write({ channel });
  }

  async #message(): Promise<void> {
    const { context, client, prompts, user } = this.#parts;
    const others = (await this.#ask(() => client.users())).filter((name) => name !== user);
    if (others.length === 0) return this.#print(context.text("menu.noUsers"));
    const other = parseUser(await prompts.search(context.text("menu.askUser"), others));
    if (other !== undefined) await this.#write({ user: other });
  }

  /** Channels that are joined come first. */
  async #askChannel(): Promise<ChannelName | undefined> {
    const { context, client, prompts } = this.#parts;
    const joined = [...this.#joined].reverse();
    const others = (await this.#ask(() => client.channels())).filter(
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
    const { durable } = await this.#ask(() =>
      target.channel === undefined
        ? client.message(user, target.user, message)
        : client.publish(user, target.channel, message),
    );
    // In a joined channel the person sees his own words come back.
    if (target.channel !== undefined && this.#joined.has(target.channel)) return;
    this.#print(text("done.send", { target: writeTarget(target), count: durable.length }));
  }

  #show(entry: Entry): void {
    const { paint } = this.#parts.context.output;
    this.#print(entryLine(entry, { paint, zoneMinutes, mixed: true }));
  }

  #print(line: string): void {
    this.#parts.screen.print(line);
  }
}
