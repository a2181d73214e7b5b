import type { HistoryQuery } from "../../../protocol/client-messages.ts";
import { writeCursor } from "../../../protocol/cursor.ts";
import { compareOrder } from "../../../protocol/event.ts";
import type { ServerName } from "../../../protocol/ids.ts";
import { limits } from "../../../protocol/limits.ts";
import type { Entry } from "../../../protocol/publications.ts";
import type { HistoryPage, StatusReply } from "../../../protocol/replies.ts";
import { isoTime } from "../../../protocol/time.ts";
import { channelTopic, userTopic } from "../../../protocol/topics.ts";
import { join, type MutableVector, sorted, type Vector } from "../../../protocol/vector.ts";
import { firstIndex } from "../first-index.ts";
import { idOf, isCommitted } from "../replica/placed.ts";
import type { Conversation, StoredMessage } from "./chat-state.ts";
import { lowerBound, type Tail } from "./window.ts";

/** A message as a reader gets it. */
export function toEntry(message: StoredMessage): Entry {
  const { text, clock, server, seq, from, to } = message;
  const id = idOf(message);
  const timestamp = isoTime(message.time);
  return "channel" in to
    ? { channel: to.channel, user: from, message: text, timestamp, clock, server, seq, id }
    : { src: from, dst: to.user, message: text, timestamp, clock, server, seq, id };
}

/** Of a private message both its parties', so that all chats of its sender show it too (P2). */
export function topicsOf({ from, to }: Pick<StoredMessage, "from" | "to">): readonly string[] {
  if ("channel" in to) return [channelTopic(to.channel)];
  return to.user === from ? [userTopic(from)] : [userTopic(to.user), userTopic(from)];
}

/** What the replies to one payload may take together, and what they share. */
export interface Room {
  bytes: number;
  status?: StatusReply;
}

/** What of a conversation may be shown, and how much of it the reply still takes. */
interface Bounds {
  readonly committed: Vector;
  readonly room: Room;
}

/**
 * What is committed of a conversation, by the page. A page ends early when the room is used up:
 * `next` then tells that there is more.
 */
export function readHistory(
  conversation: Conversation,
  query: HistoryQuery,
  bounds: Bounds,
): HistoryPage {
  return query.since === undefined
    ? pageBefore(conversation, query, bounds)
    : pageSince(conversation, { ...query, since: query.since }, bounds);
}

/** Before every other server in the order. */
const lowestServer = "server_00000000" as ServerName;
const lowestPlace = { clock: 0, server: lowestServer };

/** Bytes of a message in a page, generously: text in UTF-8 and the fields around it. */
export function messageBytes(message: StoredMessage): number {
  return 3 * message.text.length + 300;
}

/** What it counts for to look at a message, shown or not: so all that one payload looks at is bounded. */
const passedBytes = 10;

function pageBefore(
  conversation: Conversation,
  { before, limit, ...query }: HistoryQuery,
  { committed, room }: Bounds,
): HistoryPage {
  const { window } = conversation;
  const messages = window.entries;
  const page: StoredMessage[] = [];
  const least = room.bytes - limits.pageBytes;
  let at = before === undefined ? messages.length : lowerBound(messages, before);
  const above = messages.at(at - 1);
  while (at > 0 && page.length < limit && room.bytes > Math.max(0, least)) {
    at -= 1;
    const message = messages.at(at) as StoredMessage;
    room.bytes -= passedBytes;
    if (!isWanted(message, query) || !window.shows(message, committed)) continue;
    page.push(message);
    room.bytes -= messageBytes(message);
  }
  const seen = sorted(committed);
  const entries = page.reverse().map(toEntry);
  if (at === 0) return { entries, seen };
  // The place before which the next page ends: this one's oldest, or where it would have begun.
  const place = messages.at(at) ?? { clock: (above?.clock ?? 0) + 1, server: lowestServer };
  return { entries, next: writeCursor(place), seen };
}

function pageSince(
  conversation: Conversation,
  { since, limit, ...query }: HistoryQuery & { since: Vector },
  { committed, room }: Bounds,
): HistoryPage {
  if (room.bytes <= 0) return { entries: [], next: writeCursor(lowestPlace), seen: sorted(since) };
  const missed: StoredMessage[] = [];
  let passed = 0;
  for (const [server, messages] of conversation.byServer) {
    let at = firstAbove(messages, since[server] ?? 0);
    // A page never needs more than `limit` of one server, whatever the others have.
    for (let found = 0; at < messages.length && found <= limit; at += 1) {
      const message = messages.at(at) as StoredMessage;
      if (!isCommitted(message, committed)) break;
      passed += 1;
      if (!isWanted(message, query)) continue;
      missed.push(message);
      found += 1;
    }
  }
  missed.sort(compareOrder);
  const entries: Entry[] = [];
  const seen: MutableVector = { ...since };
  const least = Math.max(0, room.bytes - limits.pageBytes);
  let taken = 0;
  for (const message of missed) {
    if (taken === limit || room.bytes <= least) break;
    taken += 1;
    room.bytes -= messageBytes(message);
    seen[message.server] = message.seq;
    if (conversation.window.shows(message, committed)) entries.push(toEntry(message));
  }
  // It shortens no page of its own: each has to lead on, however much it passes over.
  room.bytes -= passed * passedBytes;
  if (taken === missed.length) return { entries, seen: sorted(join(since, committed)) };
  // In the total order each server's own order is kept, so what was taken is a prefix of each.
  return { entries, next: writeCursor(missed[taken] as StoredMessage), seen: sorted(seen) };
}

/** Whether it is one of those two's. */
function isWanted(
  { from, to }: StoredMessage,
  { conversation: { user }, with: other }: Pick<HistoryQuery, "conversation" | "with">,
): boolean {
  if (other === undefined || !("user" in to)) return true;
  return (from === user && to.user === other) || (from === other && to.user === user);
}

function firstAbove(messages: Tail<StoredMessage>, seq: number): number {
  return firstIndex(messages.length, (at) => (messages.at(at) as StoredMessage).seq <= seq);
}
