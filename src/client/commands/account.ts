import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { Problem } from "../../platform/problem.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { UserName } from "../../protocol/ids.ts";
import type { Receipt } from "../../protocol/messages.ts";
import type { ChatClient } from "../chat-client.ts";
import { type Context, nameOf, withClient } from "./context.ts";
import { readAll } from "./read-input.ts";

/** `tertulia login NAME` */
export async function login(context: Context, name: string): Promise<void> {
  const user = nameOf(context, name);
  const entry = await withClient(context, (client) => enter(context, client, user));
  context.output.done({ user, ...entry }, context.text("done.login", { user }));
}

/** `tertulia password NAME`: the old one, then the new one; of a script, a line each. */
export async function changePassword(context: Context, name: string): Promise<void> {
  const user = nameOf(context, name);
  const { text, host } = context;
  const asked = host.input.isTTY
    ? [
        await typedPassword(context, "prompt.password"),
        await typedPassword(context, "prompt.newPassword"),
      ]
    : ((await readAll(host.input, 2 * longestPassword)) ?? "").split("\n");
  const [password = "", newPassword = ""] = asked;
  if (password === "" || newPassword === "") throw new Problem(text("problem.passwords"), 2);
  await withClient(context, (client) => client.changePassword(user, password, newPassword));
  context.output.done({ user }, text("done.password", { user }));
}

/** `tertulia register NAME`: the password comes by standard input: no list of processes shows it. */
export async function register(
  context: Context,
  name: string,
  { invitation }: { readonly invitation?: string },
): Promise<void> {
  const user = nameOf(context, name);
  const password = await readPassword(context);
  await withClient(context, (client) => client.register(user, password, invitation));
  context.output.done({ user }, context.text("done.register", { user }));
}

/** Logs in; where the cluster wants a password, the person is asked for it. */
async function enter(context: Context, client: ChatClient, user: UserName): Promise<Receipt> {
  try {
    return await client.login(user);
  } catch (error) {
    if (!(error instanceof ProtocolError) || error.code !== "unauthenticated") throw error;
  }
  return await client.login(user, await readPassword(context));
}

const longestPassword = 1_024;

export async function readPassword(context: Context): Promise<string> {
  const { input } = context.host;
  const password = input.isTTY
    ? await typedPassword(context, "prompt.password")
    : await readAll(input, longestPassword);
  const [line = ""] = (password ?? "").split("\n");
  if (line === "") throw new Problem(context.text("problem.password"), 2);
  return line;
}

async function typedPassword(
  { host, text }: Context,
  prompt: "prompt.password" | "prompt.newPassword",
): Promise<string> {
  // What is typed is not shown.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input: host.input, output: nowhere, terminal: true });
  const interrupted = new Promise<string>((resolve) => reader.once("close", () => resolve("")));
  host.errors.write(text(prompt));
  try {
    return await Promise.race([reader.question(""), interrupted]);
  } finally {
    reader.close();
    host.errors.write("\n");
  }
}
