import { type Context, withClient } from "../commands/context.ts";
import { GameClient } from "../game-client.ts";
import { type DuelParts, DuelShell } from "./duel-shell.ts";
import { LoginFlow } from "./login-flow.ts";
import { withPrompts } from "./prompts.ts";

/** Milliseconds after which a request fails; the screen then says so, and tries again. */
const deadlineMs = 1_000;

/**
 * `tertulia duel` in a terminal, until the person leaves or a signal arrives.
 * @throws Problem if the process has no terminal, or no server can be reached at the beginning
 */
export async function runDuelScreen(
  context: Context,
  wish: Pick<DuelParts, "rules" | "watched">,
): Promise<void> {
  await withPrompts(context, (prompts, stopping) =>
    withClient(context, async (client) => {
      const user = await new LoginFlow({ context, client, prompts }).enter();
      await openDuel({ context, client, user, ...wish }, stopping);
    }),
  );
}

/** Shows the screen of a match, for a person that is logged in. */
export async function openDuel(parts: DuelParts, stopping: AbortSignal): Promise<void> {
  const { user, context } = parts;
  const { games, sessions } = context.config;
  const token = () => sessions.tokenOf(user);
  using client = new GameClient({ games, user, token, deadlineMs });
  await new DuelShell(parts, client).run(stopping);
}
