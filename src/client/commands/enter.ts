import type { Receipt } from "../../protocol/client-messages.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { UserName } from "../../protocol/ids.ts";
import { OriginalServerError } from "../original-server.ts";
import type { Session } from "../session.ts";
import type { Context } from "./context.ts";

/**
 * Goes on with the session that was kept, or logs in by the name alone, as an open cluster allows.
 * @returns undefined, or the refusal if neither is enough and a password is needed
 */
export async function enter(
  { config }: Context,
  client: Session,
  user: UserName,
): Promise<ProtocolError | undefined> {
  const isKept = config.session?.user === user;
  // The cheapest request that needs a session.
  const ended = isKept ? await refusalOf(client.history({ user }, { limit: 1 })) : undefined;
  if (isKept && ended === undefined) return undefined;
  const refusal = await refusalOf(client.login(user));
  // Why the session ended says more than that a session is needed.
  return refusal && ended?.reason !== undefined ? ended : refusal;
}

async function refusalOf(asked: Promise<unknown>): Promise<ProtocolError | undefined> {
  try {
    await asked;
    return undefined;
  } catch (error) {
    // No password helps at a server of the original protocol.
    if (error instanceof OriginalServerError) throw error;
    if (error instanceof ProtocolError && !error.retry) return error;
    throw error;
  }
}

/** Begins a session. From now on, commands that name no user act as this one. */
export async function logIn(
  { config }: Context,
  client: Session,
  { user, password }: { readonly user: UserName; readonly password: string },
): Promise<Receipt> {
  const receipt = await client.login(user, password);
  config.sessions.choose(user);
  return receipt;
}
