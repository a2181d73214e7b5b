import { zoneMinutes } from "../../platform/clock.ts";
import { Problem } from "../../platform/problem.ts";
import { limits } from "../../protocol/limits.ts";
import type { Vector } from "../../protocol/vector.ts";
import { conversationOf } from "../core/conversation.ts";
import { entryLine } from "../core/entry-line.ts";
import { parseSinceVector } from "../core/since.ts";
import { readPages } from "../pages.ts";
import { type Context, targetOf, userOf, withClient } from "./context.ts";

export interface HistoryFlags {
  readonly limit?: string;
  readonly before?: string;
  readonly since?: string;
}

/**
 * `tertulia history TARGET`: prints the newest entries or, with `--since`, the entries after a
 * vector.
 */
export async function history(
  context: Context,
  target: string,
  flags: HistoryFlags,
): Promise<void> {
  const { output, text } = context;
  const conversation = conversationOf(targetOf(context, target), () => userOf(context));
  const since = sinceOf(context, flags.since);
  const { before } = flags;
  const options = { with: conversation.with, before, since, most: limitOf(context, flags.limit) };
  const { entries, seen, next } = await withClient(context, (client) =>
    readPages(client, conversation.name, options),
  );
  const style = { paint: output.paint, zoneMinutes };
  for (const entry of entries) output.data(entry, entryLine(entry, style));
  if (output.json) output.value({ seen, next });
  else if (next !== undefined && since === undefined) {
    output.note(text("note.older", { cursor: next }));
  } else if (next !== undefined) {
    output.note(text("note.newer", { seen: JSON.stringify(seen) }));
  }
}

export function limitOf({ text }: Context, value: string | undefined): number {
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
