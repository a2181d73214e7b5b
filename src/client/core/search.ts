import { harmless } from "../../protocol/harmless.ts";
import { limits } from "../../protocol/limits.ts";
import type { Entry } from "../../protocol/publications.ts";
import type { FoundPage } from "../../protocol/replies.ts";
import type { SearchOptions } from "../../protocol/request-data.ts";
import type { Text } from "../../texts/texts.ts";
import type { EventOf } from "./chat-events.ts";
import { entryLine } from "./entry-line.ts";
import type { Zone } from "./server-time.ts";
import { writeTarget } from "./target.ts";

/** The most found messages that a chat shows, the newest ones. */
export const mostFound = 20;

/**
 * Searches page by page, towards older messages, until `most` are found, nothing is left to search, or
 * the server repeats pages. A server looks at a part of the messages for each page, so pages may be
 * empty (Q31).
 * @returns a page; its `next` is the place from which the search can go on
 */
export async function readFound(
  search: (page: Pick<SearchOptions, "before" | "limit">) => Promise<FoundPage>,
  { most, before }: { readonly most: number; readonly before?: string | undefined },
): Promise<FoundPage> {
  const visited = new Set<string>();
  let entries: readonly Entry[] = [];
  for (let place = before; ; ) {
    const limit = Math.min(limits.historyEntries, most - entries.length);
    const page = await search({ before: place, limit });
    entries = [...page.entries, ...entries];
    const { next } = page;
    if (next === undefined || entries.length >= most || visited.has(next)) return { entries, next };
    visited.add(next);
    place = next;
  }
}

/** Returns the lines that show what a search has found: a heading, and a line for each message. */
export function foundLines(
  { words, zoneMinutes }: { readonly words: Text; readonly zoneMinutes: Zone },
  { target, words: searched, entries, isCut }: Omit<EventOf<"searched">, "type">,
): readonly string[] {
  const about = { name: harmless(writeTarget(target)), words: harmless(searched) };
  if (entries.length === 0) return [words("chat.foundNothing", about)];
  const count = entries.length;
  const heading = words(isCut ? "chat.foundNewest" : "chat.found", { ...about, count });
  const style = { paint: (_: string, text: string) => text, zoneMinutes };
  return [heading, ...entries.map((entry) => entryLine(entry, style))];
}
