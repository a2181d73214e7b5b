import { ProtocolError } from "../../protocol/errors.ts";
import type { UserName } from "../../protocol/ids.ts";
import { readPasswordFile } from "../../storage/password-file.ts";
import type { Context } from "../commands/context.ts";
import { enter, logIn } from "../commands/enter.ts";
import { asFailure, describe, wantsLogin } from "../commands/failure.ts";
import type { Session } from "../session.ts";
import type { Prompts } from "./prompts.ts";

/** The choices of a person who can't log in by name alone. */
const ways = ["logIn", "makeAccount", "otherName"] as const;

export interface DialogueParts {
  readonly context: Context;
  readonly client: Session;
  readonly prompts: Prompts;
}

/** Prints a server's refusal. @throws any other error */
export function tell(error: unknown, { context, client, prompts }: DialogueParts): void {
  if (!(error instanceof ProtocolError)) throw error;
  const { text, output } = context;
  const sentence = wantsLogin(error)
    ? text("menu.logInNext", { why: describe(error, text) })
    : asFailure(error, context, client).message;
  prompts.print(output.paint("red", sentence));
}

/** Logs a person in, by name alone or with a password, as the cluster requires. */
export class LoginFlow {
  readonly #parts: DialogueParts;

  constructor(parts: DialogueParts) {
    this.#parts = parts;
  }

  /** Asks only for what is needed, until a person is logged in. @returns the user */
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
   * Logs in a person whose session has ended.
   * @param question the name of the question's text, which says what happens if the password is
   * empty
   * @returns false if the person enters an empty password
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

  /**
   * Logs in with the password file or with a typed password, or makes an account. @returns false if
   * the person wants another name
   */
  async #prove(user: UserName, refusal: ProtocolError): Promise<boolean> {
    const { context, prompts } = this.#parts;
    const { text, config } = context;
    const { passwordFile } = config;
    if (passwordFile !== undefined) {
      const given = readPasswordFile(passwordFile);
      if (await this.#try(() => this.#logIn(user, given))) return true;
    } else {
      prompts.print(context.output.paint("yellow", describe(refusal, text)));
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
    const { context, prompts } = this.#parts;
    const { text, output } = context;
    const password = await prompts.password(text("menu.askNewPassword", { user }));
    if (password === "") return false;
    if ((await prompts.password(text("menu.askAgain"))) !== password) {
      prompts.print(output.paint("red", text("problem.passwordsDiffer")));
      return false;
    }
    return await this.#try(async () => {
      await this.#register(user, password);
      await this.#logIn(user, password);
    });
  }

  /** Registers an account. Asks for an invitation only if the cluster requires an invitation. */
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

  /** @returns false if a server refused `act` */
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
