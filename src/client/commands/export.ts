import { zoneMinutes } from "../../platform/clock.ts";
import { conversationOf } from "../core/conversation.ts";
import { entryLine } from "../core/entry-line.ts";
import { type Target, writeTarget } from "../core/target.ts";
import { pages } from "../pages.ts";
import type { Session } from "../session.ts";
import { type Context, knownUser, targetOf, userOf, withClient } from "./context.ts";

/**
 * `tertulia export [TARGET...]`: prints whole histories, each from its oldest entry to its newest.
 * Without a target, prints all channels and, if a user is known, that user's private messages.
 */
export async function exportHistories(context: Context, names: readonly string[]): Promise<void> {
  const asked = names.map((name) => targetOf(context, name));
  await withClient(context, async (client) => {
    const targets = asked.length > 0 ? asked : await everything(context, client);
    for (const target of targets) await exportOne(context, client, target);
  });
}

async function everything({ config }: Context, client: Session): Promise<Target[]> {
  const channels = (await client.channels()).map((channel): Target => ({ channel }));
  const user = knownUser(config);
  return user === undefined ? channels : [...channels, { user }];
}

/** Prints page by page, so that a long history takes no more memory than a short one. */
async function exportOne(context: Context, client: Session, target: Target): Promise<void> {
  const { output } = context;
  const { name, with: other } = conversationOf(target, () => userOf(context));
  const style = { paint: output.paint, zoneMinutes };
  if (!output.json) output.line(output.paint("bold", writeTarget(target)));
  for await (const { entries } of pages(client, name, { since: {}, with: other })) {
    for (const entry of entries) output.data(entry, entryLine(entry, style));
  }
}
