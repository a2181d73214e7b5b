import type { RequestOf, SearchQuery } from "../../../protocol/client-messages.ts";
import { writeCursor } from "../../../protocol/cursor.ts";
import type { Fields } from "../../../protocol/fields.ts";
import { limits } from "../../../protocol/limits.ts";
import type { Entry } from "../../../protocol/publications.ts";
import type { FoundPage } from "../../../protocol/replies.ts";
import { searchTerms } from "../../../protocol/request-fields.ts";
import { matcherOf } from "../../../protocol/search-words.ts";
import { type Circumstances, type Decision, refuse, type Services } from "../serving/decision.ts";
import type { ServiceRows } from "../serving/service.ts";
import type { Conversation } from "./chat-state.ts";
import { type Bounds, lowestServer, messageBytes, pageBefore, type Room } from "./history.ts";
import { conversationIn, noConversation, parsePage, read } from "./read-services.ts";

export const searchServices: ServiceRows<"search"> = {
  search: {
    parse: (data: Fields) => ({
      ...parsePage("search", data),
      terms: searchTerms(data.words, "words"),
    }),
    for: "users",
    // As for `history`.
    as: ({ conversation }) => conversation.user,
    cost: limits.searchCost,
    decide: read(search),
  },
};

function search(
  services: Services,
  { conversation: name, terms, with: other, before, limit }: RequestOf<"search">,
  { room }: Circumstances,
): Decision<FoundPage> {
  const { chat, replication } = services;
  const conversation = conversationIn(chat, name);
  if (conversation === undefined) return refuse(noConversation(name));
  const query = { conversation: name, terms, with: other, before, limit };
  if (services.search === undefined) {
    const { committed } = replication;
    return { next: "answer", answer: searchKept(conversation, query, { committed, room }) };
  }
  return {
    next: "search",
    // One entry more shows whether there is a next page.
    query: { ...query, limit: limit + 1 },
    settle: (found) => {
      // The channel may have been removed while the engine searched.
      const isGone = conversationIn(services.chat, name) === undefined;
      if (isGone) return refuse(noConversation(name));
      return { next: "answer", answer: foundPage(found, limit, room) };
    },
  };
}

/**
 * Searches the messages that this server keeps of a conversation, the newest first. Each message that
 * is looked at is charged, so a page may end before it has found anything.
 */
export function searchKept(
  conversation: Conversation,
  { terms, ...query }: SearchQuery,
  bounds: Bounds,
): FoundPage {
  const has = matcherOf(terms);
  const { entries, next } = pageBefore(conversation, query, {
    ...bounds,
    sieve: {
      shows: ({ text }) => has(text),
      charge: ({ text }) => limits.searchedBytes + 3 * text.length,
    },
  });
  return { entries, next };
}

/** Makes a page of what the engine has found, the newest first. */
export function foundPage(found: readonly Entry[], limit: number, room: Room): FoundPage {
  const least = Math.max(0, room.bytes - limits.pageBytes);
  const entries: Entry[] = [];
  for (const entry of found.slice(0, limit)) {
    if (room.bytes <= least) break;
    const hook = "channel" in entry ? entry.hook : undefined;
    room.bytes -= messageBytes({ text: entry.message, hook });
    entries.unshift(entry);
  }
  const [newest] = found;
  if (newest === undefined || entries.length === found.length) return { entries };
  const place = entries[0] ?? { clock: newest.clock + 1, server: lowestServer };
  return { entries, next: writeCursor(place) };
}
