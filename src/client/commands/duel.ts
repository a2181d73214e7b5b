import { Problem } from "../../platform/problem.ts";
import { rulesNames } from "../../protocol/matches.ts";
import { type Context, nameOf } from "./context.ts";

/** `tertulia duel`: a match of cards on the screen or, without a terminal or with `--json`, by lines. */
export async function playDuel(
  context: Context,
  flags: { readonly rules?: string; readonly watch?: string },
): Promise<void> {
  const { host, text, config } = context;
  const { rules: said = "duel", watch } = flags;
  const rules = rulesNames.find((name) => name === said);
  if (rules === undefined) throw new Problem(text("problem.rules", { rules: said }), 2);
  const wishes = { rules, watched: watch === undefined ? undefined : nameOf(context, watch) };
  const hasTerminal = host.input.isTTY && host.output.isTTY;
  if (!hasTerminal || config.json) {
    await (await import("../terminal/duel-lines.ts")).runDuelLines(context, wishes);
  } else await (await import("../terminal/duel-screen.ts")).runDuelScreen(context, wishes);
}
