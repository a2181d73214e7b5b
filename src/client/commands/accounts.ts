import { Sessions } from "../../net/sessions.ts";
import { now } from "../../platform/clock.ts";
import { Problem } from "../../platform/problem.ts";
import { randomHex } from "../../platform/random.ts";
import { readSecret } from "../../platform/secret.ts";
import type { Fields } from "../request-queue.ts";
import { readPassword } from "./account.ts";
import { type Context, nameOf, withClient } from "./context.ts";

/** What an administrator does to an account. */
export const accountActions = ["lock", "unlock", "promote", "demote", "reset"] as const;
export type AccountAction = (typeof accountActions)[number];

/** `tertulia accounts ACTION NAME` */
export async function changeAccount(
  context: Context,
  action: AccountAction,
  name: string,
): Promise<void> {
  const user = nameOf(context, name);
  const changes: Readonly<Record<AccountAction, () => Promise<Fields> | Fields>> = {
    lock: () => ({ locked: true }),
    unlock: () => ({ locked: false }),
    promote: () => ({ administrator: true }),
    demote: () => ({ administrator: false }),
    reset: async () => ({ newPassword: await readPassword(context) }),
  };
  const change = await changes[action]();
  await administer(context, "account", { user, ...change });
  context.output.done({ user, action }, context.text(`done.${action}`, { user }));
}

/** `tertulia accounts registration MODE`: with an invitation, which is shown this once. */
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

/** As an administrator who is logged in, else as whoever has the cluster's secret. */
async function administer(context: Context, service: string, data: Fields): Promise<void> {
  const { config } = context;
  const options = config.session === undefined ? { token: await operatorToken(context) } : {};
  await withClient(context, (client) => client.ask(service, data), { ...options });
}

function operatorToken({ config }: Context): Promise<string> {
  return new Sessions(readSecret(config.secret).deriveKey("token")).giveOperator(now().wallMs);
}
