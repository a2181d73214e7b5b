import { zoneMinutes } from "../../platform/clock.ts";
import { conversationOf } from "../core/conversation.ts";
import { entryLine } from "../core/entry-line.ts";
import { readFound } from "../core/search.ts";
import { type Context, targetOf, userOf, withClient } from "./context.ts";
import { type HistoryFlags, limitOf } from "./history.ts";

/** `tertulia search TARGET WORDS`: prints the newest entries that have all the words. */
export async function search(
  context: Context,
  [target, ...words]: readonly string[],
  flags: Omit<HistoryFlags, "since">,
): Promise<void> {
  const { output, text } = context;
  const { name, with: other } = conversationOf(targetOf(context, target as string), () =>
    userOf(context),
  );
  const place = { before: flags.before, most: limitOf(context, flags.limit) };
  const { entries, next } = await withClient(context, (client) =>
    readFound((page) => client.search(name, words.join(" "), { with: other, ...page }), place),
  );
  const style = { paint: output.paint, zoneMinutes };
  for (const entry of entries) output.data(entry, entryLine(entry, style));
  if (output.json) output.value({ next });
  else if (next !== undefined) output.note(text("note.older", { cursor: next }));
  else if (entries.length === 0) output.note(text("note.foundNothing"));
}
