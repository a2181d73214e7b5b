import { limits } from "../protocol/limits.ts";
import type { Entry } from "../protocol/publications.ts";
import type { HistoryPage } from "../protocol/replies.ts";
import type { HistoryOptions } from "../protocol/request-data.ts";
import type { ConversationName } from "../protocol/topics.ts";

/** A session, for whom it is enough that it reads histories. */
export interface HistoryReader {
  history(name: ConversationName, options: HistoryOptions): Promise<HistoryPage>;
}

export interface PagesOptions extends Omit<HistoryOptions, "limit"> {
  /** Entries of all pages together, at most. */
  readonly most?: number;
  /** Entries of the first page, at most. */
  readonly first?: number;
}

/** Empty pages in a row that lead no further: other requests can take all the room (H2). */
const mostStalls = 100;

/**
 * Pages of a conversation, each with its entries from oldest to newest. With `since` every page is
 * newer than the one before it; without it every page is older, from the newest or from `before`.
 * `seen` is always the vector to go on from behind the newest entry of all. A page can be empty
 * although more follow (H2). The pages end at the end of the history, at `most`, and when the server
 * goes in circles.
 */
export async function* pages(
  client: HistoryReader,
  name: ConversationName,
  { most = Number.POSITIVE_INFINITY, first = limits.historyEntries, ...start }: PagesOptions = {},
): AsyncGenerator<HistoryPage> {
  const visited = new Set<string>();
  let place: HistoryOptions = start;
  let newest: HistoryPage | undefined;
  let rest = most;
  for (let limit = first, stalls = 0; ; limit = limits.historyEntries) {
    const page = await client.history(name, { ...place, limit: Math.min(limit, rest) });
    newest ??= page;
    const { entries, next } = page;
    const { seen } = place.since === undefined ? newest : page;
    yield { entries, next, seen };
    rest -= entries.length;
    if (next === undefined || rest <= 0) return;
    place = place.since === undefined ? { ...place, before: next } : { ...place, since: seen };
    const written = JSON.stringify(place);
    stalls = visited.has(written) ? stalls + 1 : 0;
    if (stalls > (entries.length > 0 ? 0 : mostStalls)) return;
    visited.add(written);
  }
}

/**
 * The entries of several pages, from oldest to newest.
 * @param isEnough whether the entries found so far are enough
 * @returns what is left to read in `next`, as a single page would
 */
export async function readPages(
  client: HistoryReader,
  name: ConversationName,
  {
    isEnough = () => false,
    ...options
  }: PagesOptions & { readonly isEnough?: (entries: readonly Entry[]) => boolean },
): Promise<HistoryPage> {
  let read: HistoryPage = { entries: [], seen: {} };
  for await (const page of pages(client, name, options)) {
    const [older, newer] = options.since === undefined ? [page, read] : [read, page];
    read = { ...page, entries: [...older.entries, ...newer.entries] };
    if (isEnough(read.entries)) break;
  }
  return read;
}
