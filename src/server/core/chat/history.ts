import type { HistoryQuery } from "../../../protocol/client-messages.ts";
import { writeCursor } from "../../../protocol/cursor.ts";
import { compareOrder } from "../../../protocol/event.ts";
import type { ServerName } from "../../../protocol/ids.ts";
import { limits } from "../../../protocol/limits.ts";
import type { Entry } from "../../../protocol/publications.ts";
import type { HistoryPage, StatusReply } from "../../../protocol/replies.ts";
import { isoTime } from "../../../protocol/time.ts";
import { channelTopic, userTopic } from "../../../protocol/topics.ts";
import { covers, join, type MutableVector, sorted, type Vector } from "../../../protocol/vector.ts";
import { firstIndex } from "../first-index.ts";
import { idOf, isCommitted } from "../replica/placed.ts";
import type { Conversation, StoredMessage } from "./chat-state.ts";
import { lowerBound, type Tail } from "./window.ts";

/** Converts a message to the entry that clients receive and saved states contain. */
export function toEntry(message: StoredMessage): Entry {
  const { text, clock, server, seq, from, to, hook } = message;
  const id = idOf(message);
  const timestamp = isoTime(message.time);
  const rest = { message: text, timestamp, clock, server, seq, id };
  if (!("channel" in to)) return { src: from, dst: to.user, ...rest };
  const { channel } = to;
  return hook === undefined
    ? { channel, user: from, ...rest }
    : { channel, user: from, hook, ...rest };
}

/**
 * The topics on which a message is published. A private message goes to the topics of both parties,
 * so that other clients of the sender receive it (P2).
 */
export function topicsOf({ from, to }: Pick<StoredMessage, "from" | "to">): readonly string[] {
  if ("channel" in to) return [channelTopic(to.channel)];
  return to.user === from ? [userTopic(from)] : [userTopic(to.user), userTopic(from)];
}

/**
 * The bytes left for the replies to one payload, and the status of the cluster, which is made once
 * for all these replies.
 */
export interface Room {
  bytes: number;
  status?: StatusReply;
}

/**
 * The limits of a page: the page shows only messages that `committed` covers, and must fit into
 * `room`.
 */
export interface Bounds {
  readonly committed: Vector;
  readonly room: Room;
}

/**
 * Reads a page of the committed messages of a conversation. A page that stops at `limit`, or
 * because the room is used up, has `next`.
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

/** A server name that sorts before every other server name. */
export const lowestServer = "server_00000000" as ServerName;
const lowestPlace = { clock: 0, server: lowestServer };

/** An upper estimate of a message's bytes in a page: its text in UTF-8 and its other fields. */
export function messageBytes({ text, hook }: Pick<StoredMessage, "text" | "hook">): number {
  const hookBytes = hook === undefined ? 0 : 4 * hook.length + 10;
  return 3 * text.length + hookBytes + 300;
}

/**
 * The bytes charged for each message that is read, even if the page does not show the message. The
 * charge limits how many messages one payload can read.
 */
const passedBytes = 10;

/** What a page shows of the messages that it reads. */
export interface Sieve {
  shows(message: StoredMessage): boolean;
  /** The bytes charged for each message that is read. */
  charge(message: StoredMessage): number;
}

const showAll: Sieve = { shows: () => true, charge: () => passedBytes };

/** Reads a page of the committed messages before a place, as `readHistory` does. */
export function pageBefore(
  conversation: Conversation,
  { before, limit, ...query }: Omit<HistoryQuery, "since">,
  { committed, room, sieve = showAll }: Bounds & { readonly sieve?: Sieve },
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
    room.bytes -= sieve.charge(message);
    if (!isWanted(message, query) || !window.shows(message, committed)) continue;
    if (!sieve.shows(message)) continue;
    page.push(message);
    room.bytes -= messageBytes(message);
  }
  const seen = sorted(committed);
  const entries = page.reverse().map(toEntry);
  if (at === 0) return { entries, seen };
  // `next` asks for the messages before the lowest message that this page read. If this page read
  // no message, `next` asks for the same page again.
  const place = messages.at(at) ?? { clock: (above?.clock ?? 0) + 1, server: lowestServer };
  return { entries, next: writeCursor(place), seen };
}

function pageSince(
  conversation: Conversation,
  { since, limit, ...query }: HistoryQuery & { since: Vector },
  { committed, room }: Bounds,
): HistoryPage {
  const complete = covers(since, conversation.dropped);
  if (room.bytes <= 0) {
    return { entries: [], next: writeCursor(lowestPlace), seen: sorted(since), complete };
  }
  const missed: StoredMessage[] = [];
  let passed = 0;
  for (const [server, messages] of conversation.byServer) {
    let at = firstAbove(messages, since[server] ?? 0);
    // The page shows at most `limit` messages of this server. The loop also takes the next message,
    // whose existence proves that the page is not the last.
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
  // The messages that were read are charged only after the page is filled, so that even a page that
  // skips many messages makes progress.
  room.bytes -= passed * passedBytes;
  if (taken === missed.length) return { entries, seen: sorted(join(since, committed)), complete };
  // The total order keeps each server's messages in the order of `seq`, so `seen` passes over no
  // message that the reader missed.
  const next = writeCursor(missed[taken] as StoredMessage);
  return { entries, next, seen: sorted(seen), complete };
}

/**
 * Whether the query wants the message. A query with `with` wants only private messages between its
 * two users.
 */
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
