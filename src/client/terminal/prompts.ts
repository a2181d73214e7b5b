import inquirer from "inquirer";
import { Problem } from "../../platform/problem.ts";
import { harmless } from "../../protocol/harmless.ts";
import type { UserName } from "../../protocol/ids.ts";
import type { Context } from "../commands/context.ts";
import { hasInName } from "../core/name-search.ts";
import { parseUser } from "../core/target.ts";
import { PromptInput } from "./prompt-input.ts";
import { PromptScreen } from "./prompt-screen.ts";

/** Thrown when the person presses Ctrl-C, or a signal arrives, during a question. */
export class PromptEnded extends Error {
  override readonly name = "PromptEnded";
}

/**
 * Runs a dialogue with a person in the terminal. Ctrl-C during a question ends the dialogue.
 * @param use gets a signal that is aborted when the process must end
 * @throws Problem if the process has no terminal
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

/** Asks a person questions in their language. Each question can throw PromptEnded. */
export class Prompts {
  readonly #context: Context;
  readonly #screen: PromptScreen;
  readonly #stopping: AbortSignal;

  /** @param stopping an abort ends the open question */
  constructor(context: Context, stopping: AbortSignal) {
    this.#context = context;
    this.#screen = new PromptScreen(context.host.output);
    this.#stopping = stopping;
  }

  /** Prints a line, above the question if one is open. */
  print(line: string): void {
    this.#screen.print(line);
  }

  /** Asks the person to choose from a numbered list. */
  choose<Value extends string>(message: string, choices: readonly Choice<Value>[]): Promise<Value> {
    const wrong = this.#context.text("menu.chooseNumber", { most: choices.length });
    return this.#ask<Value>({
      type: "rawlist",
      message,
      choices,
      theme: { style: { error: () => `> ${wrong}` } },
    });
  }

  /**
   * Asks for one of many names, found by typing a part of it. @returns the chosen name; an empty
   * text if the person goes back
   */
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

  /** @param problem returns what is wrong with an answer, or undefined */
  line(
    message: string,
    problem: (answer: string) => string | undefined = () => undefined,
  ): Promise<string> {
    const validate = (answer: string) => problem(answer) ?? true;
    return this.#ask({ type: "input", message, validate });
  }

  /** Asks for a password, without showing the typed characters. */
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
    // On Ctrl-D, readline pauses the prompt's input and reads no more. Without this abort, the
    // prompt would wait for ever.
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
