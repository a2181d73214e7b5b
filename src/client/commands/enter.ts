import type { Receipt } from "../../protocol/client-messages.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { UserName } from "../../protocol/ids.ts";
import { OriginalServerError } from "../original-server.ts";
import type { Session } from "../session.ts";
import type { Context } from "./context.ts";

/**
 * Continues the saved session, or logs in with the name alone, which open clusters allow.
 * @returns undefined if the user is logged in; else the refusal: the user then needs a password
 */
export async function enter(
  { config }: Context,
  client: Session,
  user: UserName,
): Promise<ProtocolError | undefined> {
  const isKept = config.session?.user === user;
  // Checks whether the saved session is valid, by the cheapest request that needs a session.
  const ended = isKept ? await refusalOf(client.history({ user }, { limit: 1 })) : undefined;
  if (isKept && ended === undefined) return undefined;
  const refusal = await refusalOf(client.login(user));
  // If the log-in is refused too, return the reason why the saved session ended: the refusal of the
  // log-in says only that a session is needed.
  return refusal && ended?.reason !== undefined ? ended : refusal;
}

async function refusalOf(asked: Promise<unknown>): Promise<ProtocolError | undefined> {
  try {
    await asked;
    return undefined;
  } catch (error) {
    // A returned refusal means that the user needs a password, but a password does not help at a
    // server of the original protocol.
    if (error instanceof OriginalServerError) throw error;
    if (error instanceof ProtocolError && !error.retry) return error;
    throw error;
  }
}

/** Logs in with a password. Later commands that name no user act as this user. */
export async function logIn(
  { config }: Context,
  client: Session,
  { user, password }: { readonly user: UserName; readonly password: string },
): Promise<Receipt> {
  const receipt = await client.login(user, password);
  config.sessions.choose(user);
  return receipt;
}
