import { limits } from "../protocol/limits.ts";
import type { Entry } from "../protocol/publications.ts";
import type { HistoryPage } from "../protocol/replies.ts";
import type { HistoryOptions } from "../protocol/request-data.ts";
import type { ConversationName } from "../protocol/topics.ts";

/** The part of a session that reads histories. */
export interface HistoryReader {
  history(name: ConversationName, options: HistoryOptions): Promise<HistoryPage>;
}

export interface PagesOptions extends Omit<HistoryOptions, "limit"> {
  /** The most entries of all pages together. */
  readonly most?: number;
  /** The most entries of the first page. */
  readonly first?: number;
}

/**
 * The most empty pages in a row that may lead back to a place already read from. At one more such
 * page, reading stops. A page can be empty because other requests of its payload use up the reply's
 * room (H2).
 */
const mostStalls = 100;

/**
 * Reads a conversation page by page. The entries of a page go from oldest to newest. With `since`,
 * each page is newer than the page before. Without `since`, pages go from the newest entry, or from
 * `before`, to older entries. A later read whose `since` is the `seen` of any page continues after
 * the newest entry up to that page. A page can be empty although more pages follow (H2). Each page
 * has the `complete` of the first page, which is about the caller's `since`. Reading ends at the end
 * of the history, at `most` entries, or when the server repeats pages.
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
    yield { entries, next, seen, complete: newest.complete };
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
 * Reads several pages into one, with entries from oldest to newest.
 * @param isEnough whether the entries read so far are enough
 * @returns a page; its `next` is the place from which the remaining entries can be fetched
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

/**
 * Reads all pages of a list of names. Stops if `next` does not increase, because a faulty server would repeat pages
 * for ever.
 */
export async function allNames<Name>(
  page: (
    from: string | undefined,
  ) => Promise<{ names: readonly Name[]; next?: string | undefined }>,
): Promise<Name[]> {
  const all: Name[] = [];
  let from: string | undefined;
  for (;;) {
    const { names, next } = await page(from);
    for (const name of names) all.push(name);
    if (next === undefined || next <= (from ?? "")) return all;
    from = next;
  }
}
