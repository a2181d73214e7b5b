import { Problem } from "../../platform/problem.ts";
import { limits } from "../../protocol/limits.ts";
import type { Entry } from "../../protocol/publications.ts";
import type { HistoryPage } from "../../protocol/replies.ts";
import type { Vector } from "../../protocol/vector.ts";
import type { ChatClient } from "../chat-client.ts";
import { type Conversation, conversationOf } from "../core/conversation.ts";
import { entryLine } from "../core/entry-line.ts";
import { parseSinceVector } from "../core/since.ts";
import { newest } from "../newest.ts";
import { type Context, targetOf, userOf, withClient } from "./context.ts";
import { zoneMinutes } from "./output.ts";

export interface HistoryFlags {
  readonly limit?: string;
  readonly before?: string;
  readonly since?: string;
}

/** `tertulia history TARGET`: the newest entries, or all that a vector lacks. */
export async function history(
  context: Context,
  target: string,
  flags: HistoryFlags,
): Promise<void> {
  const { output, text } = context;
  const conversation = conversationOf(targetOf(context, target), () => userOf(context));
  const limit = limitOf(context, flags.limit);
  const since = sinceOf(context, flags.since);
  const page = await withClient(context, (client) =>
    since === undefined
      ? newest(client, conversation.name, { limit, with: conversation.with, before: flags.before })
      : missed(client, conversation, { limit, since }),
  );
  for (const entry of page.entries) {
    output.data(entry, entryLine(entry, { paint: output.paint, zoneMinutes }));
  }
  const { seen, next } = page;
  if (output.json) output.value({ seen, next });
  else if (next !== undefined && since === undefined) {
    output.note(text("note.older", { cursor: next }));
  } else if (next !== undefined) {
    output.note(text("note.newer", { seen: JSON.stringify(seen) }));
  }
}

/** Pages forward: `seen` covers just what was shown. */
async function missed(
  client: ChatClient,
  { name, with: other }: Conversation,
  { limit, since }: { limit: number; since: Vector },
): Promise<HistoryPage> {
  const entries: Entry[] = [];
  let seen = since;
  let next: string | undefined;
  do {
    const rest = limit - entries.length;
    const page = await client.history(name, { with: other, since: seen, limit: rest });
    entries.push(...page.entries);
    ({ seen, next } = page);
  } while (next !== undefined && entries.length < limit);
  return { entries, next, seen };
}

function limitOf({ text }: Context, value: string | undefined): number {
  if (value === undefined) return limits.historyEntriesDefault;
  const limit = Number(value);
  const most = limits.historyEntries;
  if (/^\d+$/.test(value) && limit >= 1 && limit <= most) return limit;
  throw new Problem(text("problem.limit", { value, most }), 2);
}

function sinceOf({ text }: Context, value: string | undefined): Vector | undefined {
  if (value === undefined) return undefined;
  const vector = parseSinceVector(value);
  if (vector === undefined) throw new Problem(text("problem.sinceVector", { value }), 2);
  return vector;
}
