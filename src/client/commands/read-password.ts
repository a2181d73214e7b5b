import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { Problem } from "../../platform/problem.ts";
import { readPasswordFile } from "../../storage/password-file.ts";
import { PromptInput } from "../terminal/prompt-input.ts";
import type { Context } from "./context.ts";
import { readAll } from "./read-input.ts";

type Question = "prompt.password" | "prompt.newPassword" | "prompt.passwordAgain";

const longestPassword = 1_024;

/**
 * Reads the person's password from the password file, if one is given. If not, reads a typed
 * password or, without a terminal, the first line of the input.
 */
export async function readPassword(context: Context): Promise<string> {
  const { passwordFile } = context.config;
  if (passwordFile !== undefined) return readPasswordFile(passwordFile);
  const [password] = await readLines(context, "prompt.password");
  return wanted(context, password);
}

/** Reads the present and the new password. In a script's input, each password has its own line. */
export async function readPasswords(context: Context): Promise<[old: string, next: string]> {
  const { passwordFile } = context.config;
  if (passwordFile !== undefined) {
    return [readPasswordFile(passwordFile), await readNewPassword(context)];
  }
  if (context.host.input.isTTY) {
    return [await readPassword(context), await readNewPassword(context)];
  }
  const [old, next] = await readLines(context, "prompt.password", "prompt.newPassword");
  if (!old || !next) throw new Problem(context.text("problem.passwords"), 2);
  return [old, next];
}

/** Reads a new password. A person types the password twice, because it is not shown. */
export async function readNewPassword(context: Context): Promise<string> {
  const [password, again] = await readLines(context, "prompt.newPassword", "prompt.passwordAgain");
  if (context.host.input.isTTY && password !== again) {
    throw new Problem(context.text("problem.passwordsDiffer"), 2);
  }
  return wanted(context, password);
}

function wanted({ text }: Context, password: string | undefined): string {
  if (!password) throw new Problem(text("problem.password"), 2);
  return password;
}

/** @returns the person's answer to each question; without a terminal, the lines of the input */
async function readLines(context: Context, ...questions: Question[]): Promise<string[]> {
  const { input } = context.host;
  if (!input.isTTY) {
    return ((await readAll(input, questions.length * longestPassword)) ?? "").split("\n");
  }
  const answers: string[] = [];
  for (const question of questions) answers.push(await type(context, question));
  return answers;
}

/** Asks a person, without showing the typed characters. */
async function type({ host, text }: Context, question: Question): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const ask = () => host.errors.write(text(question));
  using input = new PromptInput(host, { giveBack: () => {}, takeAgain: ask });
  const reader = createInterface({ input, output: nowhere, terminal: true });
  const interrupted = new Promise<string>((resolve) => reader.once("close", () => resolve("")));
  ask();
  try {
    return await Promise.race([reader.question(""), interrupted]);
  } finally {
    reader.close();
    host.errors.write("\n");
  }
}
