import inquirer from "inquirer";
import { Problem } from "../../platform/problem.ts";
import { harmless } from "../../protocol/harmless.ts";
import type { UserName } from "../../protocol/ids.ts";
import type { Context } from "../commands/context.ts";
import { hasInName } from "../core/name-search.ts";
import { parseUser } from "../core/target.ts";
import { PromptInput } from "./prompt-input.ts";
import { PromptScreen } from "./prompt-screen.ts";

/** The person pressed Ctrl-C, or a signal came, while something was asked. */
export class PromptEnded extends Error {
  override readonly name = "PromptEnded";
}

/**
 * Lends the terminal to ask a person, who ends it all by Ctrl-C while something is asked.
 * @param use its signal is aborted when the process has to end
 * @throws Problem if there is no terminal
 */
export async function withPrompts(
  context: Context,
  use: (prompts: Prompts, stopping: AbortSignal) => Promise<void>,
): Promise<void> {
  const { host, text } = context;
  if (!host.input.isTTY || !host.output.isTTY) throw new Problem(text("problem.notATerminal"), 2);
  const stopping = new AbortController();
  using _ = host.onStop(() => stopping.abort());
  try {
    await use(new Prompts(context, stopping.signal), stopping.signal);
  } catch (error) {
    if (!(error instanceof PromptEnded)) throw error;
  }
}

export interface Choice<Value extends string> {
  readonly name: string;
  readonly value: Value;
}

const shownAtOnce = 10;

/** Questions to a person in their language. Each throws PromptEnded. */
export class Prompts {
  readonly #context: Context;
  readonly #screen: PromptScreen;
  readonly #stopping: AbortSignal;

  /** @param stopping when it is aborted, what is being asked is taken back */
  constructor(context: Context, stopping: AbortSignal) {
    this.#context = context;
    this.#screen = new PromptScreen(context.host.output);
    this.#stopping = stopping;
  }

  /** Prints above the question, if there is one. */
  print(line: string): void {
    this.#screen.print(line);
  }

  /** A numbered list. */
  choose<Value extends string>(message: string, choices: readonly Choice<Value>[]): Promise<Value> {
    const wrong = this.#context.text("menu.chooseNumber", { most: choices.length });
    return this.#ask<Value>({
      type: "rawlist",
      message,
      choices,
      theme: { style: { error: () => `> ${wrong}` } },
    });
  }

  /** One of many names, found by typing a part of it; an empty one to go back. */
  search(message: string, names: readonly string[]): Promise<string> {
    const all = names.map((name) => ({ name: harmless(name), value: name }));
    const back = { name: this.#context.text("menu.back"), value: "" };
    const found = (term = "") => {
      const part = term.replace(/^[#@]/, "");
      return part === "" ? [...all, back] : all.filter(({ value }) => hasInName(value, part));
    };
    return this.#ask({
      type: "search",
      message,
      source: found,
      pageSize: shownAtOnce,
      theme: {
        style: {
          error: () => `> ${this.#context.text("menu.nothingFound")}`,
          keysHelpTip: () => this.#context.text("menu.searchTip"),
        },
      },
    });
  }

  /** @param problem what is wrong with an answer, if anything */
  line(
    message: string,
    problem: (answer: string) => string | undefined = () => undefined,
  ): Promise<string> {
    const validate = (answer: string) => problem(answer) ?? true;
    return this.#ask({ type: "input", message, validate });
  }

  /** What is typed is not shown. */
  password(message: string): Promise<string> {
    const style = { maskedText: this.#context.text("menu.notShown") };
    return this.#ask({
      type: "password",
      message,
      toggleMask: false,
      theme: { style },
    });
  }

  async name(proposal: UserName | undefined): Promise<UserName> {
    const name = await this.#ask<string>({
      type: "input",
      message: this.#context.text("menu.askName"),
      default: proposal,
      validate: (answer: string) =>
        parseUser(answer) !== undefined || this.#context.text("problem.name", { name: answer }),
    });
    return parseUser(name) as UserName;
  }

  async #ask<Value extends string>(question: Record<string, unknown>): Promise<Value> {
    using input = new PromptInput(this.#context.host, this.#screen);
    const closing = new AbortController();
    // Ctrl-D closes the input under the prompt, which then would wait for ever.
    input.on("pause", () => setImmediate(() => closing.abort()));
    const prompt = inquirer.createPromptModule({
      input,
      output: this.#screen.open(),
      signal: AbortSignal.any([this.#stopping, closing.signal]),
    });
    try {
      const { answer } = await prompt<{ answer: Value }>([
        { ...question, name: "answer" } as never,
      ]);
      return answer as Value;
    } catch (error) {
      const { name } = error as Error;
      if (name === "ExitPromptError" || name === "AbortPromptError") throw new PromptEnded();
      throw error;
    }
  }
}
