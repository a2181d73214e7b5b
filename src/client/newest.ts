import type { Entry } from "../protocol/publications.ts";
import type { HistoryPage } from "../protocol/replies.ts";
import type { HistoryOptions } from "../protocol/request-data.ts";
import type { ConversationName } from "../protocol/topics.ts";
import type { Vector } from "../protocol/vector.ts";
import type { ChatClient } from "./chat-client.ts";

interface Newest extends Pick<HistoryOptions, "with" | "before"> {
  readonly limit: number;
}

/** The newest `limit` entries of a conversation: one page may be short of them (H2). */
export async function newest(
  client: ChatClient,
  name: ConversationName,
  { limit, with: other, before }: Newest,
): Promise<HistoryPage> {
  let entries: readonly Entry[] = [];
  let next = before;
  let seen: Vector | undefined;
  do {
    const rest = limit - entries.length;
    const page = await client.history(name, { with: other, limit: rest, before: next });
    seen ??= page.seen;
    entries = [...page.entries, ...entries];
    next = page.next;
  } while (next !== undefined && entries.length < limit);
  return { entries, next, seen };
}
