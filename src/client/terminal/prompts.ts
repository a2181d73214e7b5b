import inquirer from "inquirer";
import type { Host } from "../../platform/host.ts";
import { Problem } from "../../platform/problem.ts";
import { harmless } from "../../protocol/harmless.ts";
import type { UserName } from "../../protocol/ids.ts";
import type { Text } from "../../texts/texts.ts";
import type { Context } from "../commands/context.ts";
import { hasInName } from "../core/name-search.ts";
import { parseUser } from "../core/target.ts";
import { PromptInput } from "./prompt-input.ts";
import { PromptScreen } from "./prompt-screen.ts";

/** The person pressed Ctrl-C, or a signal came, while something was asked. */
export class PromptEnded extends Error {
  override readonly name = "PromptEnded";
}

interface PromptsOptions {
  readonly host: Host;
  readonly screen: PromptScreen;
  /** Aborted when the process has to end: what is being asked is then taken back. */
  readonly signal: AbortSignal;
  readonly text: Text;
}

/** The terminal of a person who can be asked. */
export interface Asking {
  readonly screen: PromptScreen;
  readonly prompts: Prompts;
  /** Aborted when the process has to end. */
  readonly stopping: AbortSignal;
}

/**
 * Until it has ended, or the person has while something was asked.
 * @throws Problem if there is no terminal
 */
export async function withPrompts(
  { host, text }: Context,
  use: (asking: Asking) => Promise<void>,
): Promise<void> {
  if (!host.input.isTTY || !host.output.isTTY) throw new Problem(text("problem.notATerminal"), 2);
  const stopping = new AbortController();
  using _ = host.onStop(() => stopping.abort());
  const screen = new PromptScreen(host.output);
  const { signal } = stopping;
  const prompts = new Prompts({ host, screen, signal, text });
  try {
    await use({ screen, prompts, stopping: signal });
  } catch (error) {
    if (!(error instanceof PromptEnded)) throw error;
  }
}

export interface Choice<Value extends string> {
  readonly name: string;
  readonly value: Value;
}

const shownAtOnce = 10;

/** Questions to the person, each with the words of his language. Every one throws PromptEnded. */
export class Prompts {
  readonly #options: PromptsOptions;
  readonly #text: Text;

  constructor(options: PromptsOptions) {
    this.#options = options;
    this.#text = options.text;
  }

  /** A numbered list. */
  choose<Value extends string>(message: string, choices: readonly Choice<Value>[]): Promise<Value> {
    const wrong = this.#text("menu.chooseNumber", { most: choices.length });
    return this.#ask<Value>({
      type: "rawlist",
      name: "answer",
      message,
      choices,
      theme: { style: { error: () => `> ${wrong}` } },
    });
  }

  /** One of many names, found by typing a part of it; an empty one to go back. */
  search(message: string, names: readonly string[]): Promise<string> {
    const all = names.map((name) => ({ name: harmless(name), value: name }));
    const back = { name: this.#text("menu.back"), value: "" };
    const found = (term = "") => {
      const part = term.replace(/^[#@]/, "");
      return part === "" ? [...all, back] : all.filter(({ value }) => hasInName(value, part));
    };
    return this.#ask({
      type: "search",
      name: "answer",
      message,
      source: found,
      pageSize: shownAtOnce,
      theme: {
        style: {
          error: () => `> ${this.#text("menu.nothingFound")}`,
          keysHelpTip: () => this.#text("menu.searchTip"),
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
    return this.#ask({ type: "input", name: "answer", message, validate });
  }

  /** What is typed is not shown. */
  password(message: string): Promise<string> {
    const style = { maskedText: this.#text("menu.notShown") };
    return this.#ask({
      type: "password",
      name: "answer",
      message,
      toggleMask: false,
      theme: { style },
    });
  }

  async name(proposal: UserName | undefined): Promise<UserName> {
    const name = await this.#ask<string>({
      type: "input",
      name: "answer",
      message: this.#text("menu.askName"),
      default: proposal,
      validate: (answer: string) =>
        parseUser(answer) !== undefined || this.#text("problem.name", { name: answer }),
    });
    return parseUser(name) as UserName;
  }

  async #ask<Value extends string>(question: Record<string, unknown>): Promise<Value> {
    const { host, screen, signal } = this.#options;
    using input = new PromptInput(host, screen);
    const closing = new AbortController();
    // Ctrl-D closes the input under the prompt, which then would wait for ever.
    input.on("pause", () => setImmediate(() => closing.abort()));
    const prompt = inquirer.createPromptModule({
      input,
      output: screen.open(),
      signal: AbortSignal.any([signal, closing.signal]),
    });
    try {
      const { answer } = await prompt<{ answer: Value }>([question as never]);
      return answer as Value;
    } catch (error) {
      const { name } = error as Error;
      if (name === "ExitPromptError" || name === "AbortPromptError") throw new PromptEnded();
      throw error;
    }
  }
}
