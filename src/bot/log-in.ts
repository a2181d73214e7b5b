import type { Session } from "../client/session.ts";
import { ProtocolError } from "../protocol/errors.ts";
import type { UserName } from "../protocol/ids.ts";

export interface BotAccount {
  readonly name: UserName;
  /** @returns the password; called only if the name alone is not enough to log in */
  password(): Promise<string>;
  readonly invitation: string | undefined;
}

/**
 * Logs in with the name alone if the cluster allows this, else with a password. If a server refuses
 * the password, the account may not exist. Then registers the account with this password, and logs
 * in.
 * @throws ProtocolError if a request fails
 */
export async function logIn(session: Session, account: BotAccount): Promise<void> {
  const { name, invitation } = account;
  if (await succeeded(session.login(name), "no_session")) return;
  const password = await account.password();
  if (await succeeded(session.login(name, password), "password_wrong")) return;
  try {
    await session.register(name, password, invitation);
  } catch (error) {
    if (!(error instanceof ProtocolError) || error.retry) throw error;
    const { code, reason, message } = error;
    const sentence = `The account "${name}" is not there or has another password. ${message}`;
    throw new ProtocolError(code, sentence, { reason });
  }
  await session.login(name, password);
}

/**
 * @returns true if the request succeeded, false if a server refused it with `reason`
 * @throws any other error
 */
async function succeeded(
  asked: Promise<unknown>,
  reason: ProtocolError["reason"],
): Promise<boolean> {
  try {
    await asked;
    return true;
  } catch (error) {
    if (error instanceof ProtocolError && error.reason === reason) return false;
    throw error;
  }
}
