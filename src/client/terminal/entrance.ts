import { ProtocolError } from "../../protocol/errors.ts";
import type { UserName } from "../../protocol/ids.ts";
import { readPasswordFile } from "../../storage/password-file.ts";
import { enter, logIn } from "../commands/enter.ts";
import { describe, wantsLogin } from "../commands/failure.ts";
import { type MenuParts, tell } from "./tell.ts";

/** What a person may do who is not let in by the name alone. */
const ways = ["logIn", "makeAccount", "otherName"] as const;

/**
 * Asks the servers; if the session has ended, the person logs in and goes on where he was.
 * @param logIn throws what it is given if the person would rather not
 */
export async function askOn<T>(
  request: () => Promise<T>,
  logIn: (error: ProtocolError) => Promise<void>,
): Promise<T> {
  for (;;) {
    try {
      return await request();
    } catch (error) {
      if (!wantsLogin(error)) throw error;
      await logIn(error);
    }
  }
}

/** The way into the menu, for clusters with and without accounts. */
export class Entrance {
  readonly #parts: MenuParts;

  constructor(parts: MenuParts) {
    this.#parts = parts;
  }

  /** Asks no more than it takes, until somebody is in. */
  async enter(): Promise<UserName> {
    const { context, client, prompts } = this.#parts;
    const { config } = context;
    let user = config.user ?? config.session?.user;
    for (;;) {
      user ??= await prompts.name(config.loginName);
      const refusal = await enter(context, client, user);
      if (refusal === undefined || (await this.#prove(user, refusal))) return user;
      user = undefined;
    }
  }

  /**
   * For somebody whose session has ended.
   * @param question with what an empty password leads to
   * @returns false if he would rather not
   */
  async again(
    user: UserName,
    question: "menu.askPassword" | "menu.askPasswordOrQuit" = "menu.askPassword",
  ): Promise<boolean> {
    const { context, prompts } = this.#parts;
    for (;;) {
      const password = await prompts.password(context.text(question, { user }));
      if (password === "") return false;
      if (await this.#try(() => this.#logIn(user, password))) return true;
    }
  }

  /** By the password that was given, else by one that is asked for. @returns false for another name */
  async #prove(user: UserName, refusal: ProtocolError): Promise<boolean> {
    const { context, prompts, screen } = this.#parts;
    const { text, config } = context;
    const { passwordFile } = config;
    if (passwordFile !== undefined) {
      const given = readPasswordFile(passwordFile);
      if (await this.#try(() => this.#logIn(user, given))) return true;
    } else {
      screen.print(context.output.paint("yellow", describe(refusal, text)));
    }
    const choices = ways.map((value) => ({ value, name: text(`menu.${value}`, { user }) }));
    for (;;) {
      const way = await prompts.choose(text("menu.whoAreYou"), choices);
      if (way === "otherName") return false;
      const isIn = await (way === "logIn" ? this.again(user) : this.#makeAccount(user));
      if (isIn) return true;
    }
  }

  async #makeAccount(user: UserName): Promise<boolean> {
    const { context, prompts, screen } = this.#parts;
    const { text, output } = context;
    const password = await prompts.password(text("menu.askNewPassword", { user }));
    if (password === "") return false;
    if ((await prompts.password(text("menu.askAgain"))) !== password) {
      screen.print(output.paint("red", text("problem.passwordsDiffer")));
      return false;
    }
    return await this.#try(async () => {
      await this.#register(user, password);
      await this.#logIn(user, password);
    });
  }

  /** Asks for an invitation only where one is wanted. */
  async #register(user: UserName, password: string): Promise<void> {
    const { context, client, prompts } = this.#parts;
    let { invitation } = context.config;
    for (;;) {
      try {
        return await client.register(user, password, invitation);
      } catch (error) {
        const isWanted = error instanceof ProtocolError && error.reason === "invitation_wanted";
        if (!isWanted) throw error;
        invitation = await prompts.line(context.text("menu.askInvitation"));
        if (invitation === "") throw error;
      }
    }
  }

  async #logIn(user: UserName, password: string): Promise<void> {
    const { context, client } = this.#parts;
    await logIn(context, client, { user, password });
  }

  /** @returns whether nothing was refused */
  async #try(act: () => Promise<void>): Promise<boolean> {
    try {
      await act();
      return true;
    } catch (error) {
      tell(error, this.#parts);
      return false;
    }
  }
}
