import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { Problem } from "../../platform/problem.ts";
import { type Context, nameOf, withClient } from "./context.ts";
import { readAll } from "./read-input.ts";

/** `tertulia login NAME` */
export async function login(context: Context, name: string): Promise<void> {
  const user = nameOf(context, name);
  const entry = await withClient(context, (client) => client.login(user));
  context.output.done({ user, ...entry }, context.text("done.login", { user }));
}

/** `tertulia register NAME`: the password comes by standard input: no list of processes shows it. */
export async function register(context: Context, name: string): Promise<void> {
  const user = nameOf(context, name);
  const password = await readPassword(context);
  await withClient(context, (client) => client.ask("register", { user, password }));
  context.output.done({ user }, context.text("done.register", { user }));
}

const longestPassword = 1_024;

async function readPassword(context: Context): Promise<string> {
  const { input } = context.host;
  const password = input.isTTY
    ? await typedPassword(context)
    : await readAll(input, longestPassword);
  const [line = ""] = (password ?? "").split("\n");
  if (line === "") throw new Problem(context.text("problem.password"), 2);
  return line;
}

async function typedPassword({ host, text }: Context): Promise<string> {
  // What is typed is not shown.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input: host.input, output: nowhere, terminal: true });
  const interrupted = new Promise<string>((resolve) => reader.once("close", () => resolve("")));
  host.errors.write(text("prompt.password"));
  try {
    return await Promise.race([reader.question(""), interrupted]);
  } finally {
    reader.close();
    host.errors.write("\n");
  }
}
