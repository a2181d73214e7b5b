import { Sessions } from "../../net/sessions.ts";
import { now } from "../../platform/clock.ts";
import { Problem } from "../../platform/problem.ts";
import { randomHex } from "../../platform/random.ts";
import { readSecret, type Secret } from "../../platform/secret.ts";
import type { Service } from "../../protocol/client-messages.ts";
import type { Reply } from "../../protocol/replies.ts";
import type { RequestData } from "../../protocol/request-data.ts";
import { type ClientOptions, type Context, channelOf, nameOf, withClient } from "./context.ts";
import { readNewPassword } from "./read-password.ts";
import { Failure } from "./report.ts";

/** An administrator's actions on an account. */
export type AccountAction = "add" | "lock" | "unlock" | "promote" | "demote" | "reset";

/**
 * The fields of the request `account` for each action; undefined for `reset`, which needs a
 * password.
 */
const flags = {
  lock: { locked: true },
  unlock: { locked: false },
  promote: { administrator: true },
  demote: { administrator: false },
  reset: undefined,
} as const;

/** `tertulia accounts ACTION NAME`: performs an administrator's action on an account. */
export async function changeAccount(
  context: Context,
  action: AccountAction,
  name: string,
): Promise<void> {
  const user = nameOf(context, name);
  if (action === "add") {
    await administer(context, "register", { user, password: await readNewPassword(context) });
  } else {
    const change = flags[action] ?? { newPassword: await readNewPassword(context) };
    await administer(context, "account", { user, ...change });
  }
  context.output.done({ user, action }, context.text(`done.${action}`, { user }));
}

/** `tertulia channels remove CHANNEL` and `tertulia channels restore CHANNEL`. */
export async function changeChannel(
  context: Context,
  action: "remove" | "restore",
  name: string,
): Promise<void> {
  const channel = channelOf(context, name);
  await administer(context, "removal", { channel, removed: action === "remove" });
  const key = action === "remove" ? "done.removeChannel" : "done.restoreChannel";
  context.output.done({ channel, action }, context.text(key, { channel }));
}

/**
 * `tertulia accounts registration MODE`: sets who may register. In the mode `invitation`, prints a
 * new invitation. No command shows it again.
 */
export async function setRegistration(context: Context, mode: string): Promise<void> {
  const { text, output } = context;
  if (mode !== "open" && mode !== "closed" && mode !== "invitation") {
    throw new Problem(text("problem.registration", { mode }), 2);
  }
  const invitation = mode === "invitation" ? randomHex(12) : undefined;
  await administer(context, "registration", { mode, invitation });
  output.done(
    { mode, invitation },
    text(`done.registration.${mode}`, { invitation: invitation ?? "" }),
  );
}

/**
 * Sends a request with the logged-in user's token, to be judged by the state as of now. If a server refuses this user, resends the
 * request with a token made from the cluster's secret.
 */
export async function administer<S extends Service>(
  context: Context,
  service: S,
  data: RequestData[S],
): Promise<Reply<S>> {
  const ask = (options: ClientOptions = {}) =>
    withClient(context, (client) => client.ask(service, data, { consistency: "now" }), options);
  try {
    return await ask();
  } catch (error) {
    const token = isRefused(error) ? operatorToken(context) : undefined;
    if (token === undefined) throw error;
    return await ask({ token });
  }
}

function isRefused(error: unknown): boolean {
  if (!(error instanceof Failure)) return false;
  // Servers do not tell a user that another user has the hook.
  const codes: readonly string[] = ["unauthenticated", "forbidden", "hook_not_found"];
  return codes.includes(error.code);
}

/** @returns a token made from the cluster's secret; undefined if the secret can't be read */
function operatorToken({ config }: Context): string | undefined {
  let secret: Secret;
  try {
    secret = readSecret(config.secret);
  } catch (error) {
    if (error instanceof Problem) return undefined;
    throw error;
  }
  return new Sessions(secret.deriveKeys("token")).giveOperator(now().wallMs);
}
