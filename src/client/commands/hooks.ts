import { newHookToken } from "../../platform/hook-token.ts";
import { Problem } from "../../platform/problem.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { harmless } from "../../protocol/harmless.ts";
import { hookPath } from "../../protocol/hooks.ts";
import { type HookName, parseHookName } from "../../protocol/ids.ts";
import { administer } from "./accounts.ts";
import { type Context, channelOf, nameOf, userOf, withClient } from "./context.ts";

/** `tertulia hooks`: prints the user's hooks, without their tokens. */
export async function listHooks(
  context: Context,
  { owner }: { readonly owner?: string },
): Promise<void> {
  const { text, output } = context;
  const user = owner === undefined ? userOf(context) : nameOf(context, owner);
  const { hooks } = await administer(context, "hooks", { user });
  for (const one of hooks) {
    const { id, channel, name, timestamp } = one;
    output.data(one, harmless(text("line.hook", { hook: id, name, channel, time: timestamp })));
  }
}

/** `tertulia hooks add CHANNEL NAME`: makes a hook, and prints its path at a gateway once. */
export async function addHook(context: Context, channel: string, name: string): Promise<void> {
  const { text, output } = context;
  const hookToken = newHookToken();
  const data = {
    user: userOf(context),
    channel: channelOf(context, channel),
    name: hookNameOf(context, name),
    hookToken,
  };
  const { hook, entry } = await withClient(context, (client) => client.ask("hook", data));
  const path = hookPath(hookToken);
  output.note(text("done.addHook", data));
  output.data({ hook, path, channel: data.channel, name: data.name, ...entry }, path);
}

/** `tertulia hooks remove HOOK`: revokes a hook. */
export async function removeHook(context: Context, hook: string): Promise<void> {
  const { entry } = await administer(context, "unhook", { hook });
  context.output.done({ hook, ...entry }, context.text("done.removeHook", { hook }));
}

/** @throws Problem (exit code 2) if `name` is not a hook's name */
function hookNameOf({ text }: Context, name: string): HookName {
  try {
    return parseHookName(name);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new Problem(text("problem.name", { name }), 2);
  }
}
