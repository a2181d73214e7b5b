import type { Receipt } from "../../protocol/client-messages.ts";
import type { UserName } from "../../protocol/ids.ts";
import { receiptIfAny } from "../original-server.ts";
import type { Session } from "../session.ts";
import { type Context, nameOf, withClient } from "./context.ts";
import { logIn } from "./enter.ts";
import { wantsLogin } from "./failure.ts";
import { readNewPassword, readPassword, readPasswords } from "./read-password.ts";

/** `tertulia login NAME`: logs a user in. */
export async function login(context: Context, name: string): Promise<void> {
  const user = nameOf(context, name);
  const entry = await withClient(context, (client) => begin(context, client, user));
  const done = entry === undefined ? "done.loginOriginal" : "done.login";
  context.output.done({ user, ...entry }, context.text(done, { user }));
}

/** Logs in. Asks for a password only if the cluster requires a password. */
async function begin(
  context: Context,
  client: Session,
  user: UserName,
): Promise<Receipt | undefined> {
  try {
    return await receiptIfAny(client.login(user));
  } catch (error) {
    if (!wantsLogin(error)) throw error;
  }
  return await logIn(context, client, { user, password: await readPassword(context) });
}

/** `tertulia password NAME`: changes the password. All other sessions of the user end. */
export async function changePassword(context: Context, name: string): Promise<void> {
  const user = nameOf(context, name);
  const [password, newPassword] = await readPasswords(context);
  await withClient(context, async (client) => {
    await client.changePassword(user, password, newPassword);
    context.config.sessions.choose(user);
  });
  context.output.done({ user }, context.text("done.password", { user }));
}

/**
 * `tertulia register NAME`: registers an account. The password is not an argument, because process
 * lists show arguments.
 */
export async function register(context: Context, name: string): Promise<void> {
  const user = nameOf(context, name);
  const { invitation, passwordFile } = context.config;
  const read = passwordFile === undefined ? readNewPassword : readPassword;
  const password = await read(context);
  await withClient(context, (client) => client.register(user, password, invitation));
  context.output.done({ user }, context.text("done.register", { user }));
}
