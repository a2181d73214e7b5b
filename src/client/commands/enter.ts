import type { Receipt } from "../../protocol/client-messages.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { UserName } from "../../protocol/ids.ts";
import type { ChatClient } from "../chat-client.ts";
import { OriginalServerError } from "../original-server.ts";
import type { Context } from "./context.ts";

/**
 * Goes on with the session that was kept, or logs in by the name alone, as an open cluster allows.
 * @returns why neither is enough, if so: then it takes a password
 */
export async function enter(
  { config }: Context,
  client: ChatClient,
  user: UserName,
): Promise<ProtocolError | undefined> {
  const isKept = config.session?.user === user;
  // Of all that only a session is served, the least.
  const ended = isKept ? await refusalOf(client.history({ user }, { limit: 1 })) : undefined;
  if (isKept && ended === undefined) return undefined;
  const refusal = await refusalOf(client.login(user));
  // What became of a session says more than that there is to be one.
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

/** Begins a session: commands that name no user are this one's from now on. */
export async function logIn(
  { config }: Context,
  client: ChatClient,
  { user, password }: { readonly user: UserName; readonly password: string },
): Promise<Receipt> {
  const receipt = await client.login(user, password);
  config.sessions.choose(user);
  return receipt;
}
