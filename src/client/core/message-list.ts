import { writeCursor } from "../../protocol/cursor.ts";
import { compareOrder } from "../../protocol/event.ts";
import type { Entry } from "../../protocol/publications.ts";
import type { MutableVector, Vector } from "../../protocol/vector.ts";
import { type Author, isBy } from "./author.ts";
import type { Conversation, Item, Message, Placed } from "./chat-model.ts";
import { timeOf } from "./server-time.ts";

/**
 * The most items that a conversation keeps in memory. Older items are fetched again when the person
 * pages up to them.
 */
export const mostItems = 2_000;
/** The most items that a conversation keeps while the person reads older messages. */
const mostItemsPaged = 8_000;
/**
 * How many items above the limit a conversation may have before its oldest items are dropped.
 * Without this margin, every message would cause a drop.
 */
const slack = 200;

export function asMessage(entry: Entry): Message {
  const { message: text, clock, server, seq, id, timestamp } = entry;
  const user = "channel" in entry ? entry.user : entry.src;
  const hook = "channel" in entry ? entry.hook : undefined;
  const timeMs = timeOf(timestamp);
  return { kind: "message", user, hook, text, timeMs, clock, server, seq, id };
}

/**
 * Identifies an item. Copies of one message from several servers have the same key. Messages with
 * the same id but different contents have different keys (R6).
 */
export function itemKey(item: Item): string {
  if (item.kind === "notice") return `notice ${item.number}`;
  const { user, hook }: Author = item;
  const key = `${user}\0${item.id}\0${item.text}`;
  return hook === undefined ? key : `${key}\0${hook}`;
}

/** @returns the item at an index in the order of the screen; pending items are last */
export function itemAt({ items, pending }: Conversation, at: number): Item | undefined {
  return at < items.length ? items[at] : pending[at - items.length];
}

export function countOf({ items, pending }: Conversation): number {
  return items.length + pending.length;
}

/** Inserts messages by the total order. Of duplicates, only the earliest stays (R6). */
function merge(items: readonly Placed[], messages: readonly Message[]): readonly Placed[] {
  const merged = [...items];
  const known = new Map(items.map((item) => [itemKey(item), item]));
  for (const message of messages) {
    const key = itemKey(message);
    const duplicate = known.get(key);
    if (duplicate !== undefined) {
      if (duplicate.kind === "message" && compareOrder(duplicate, message) <= 0) continue;
      merged.splice(merged.indexOf(duplicate), 1);
    }
    known.set(key, message);
    merged.splice(placeOf(merged, message), 0, message);
  }
  return merged;
}

function placeOf(items: readonly Placed[], message: Message): number {
  let place = items.length;
  for (let at = items.length - 1; at >= 0; at -= 1) {
    const item = items[at];
    if (item?.kind !== "message") continue;
    if (compareOrder(message, item) > 0) break;
    place = at;
  }
  return place;
}

/** Adds messages. A pending message that is among the added messages is no longer pending. */
export function fill(present: Conversation, messages: readonly Message[]): Conversation {
  const items = merge(present.items, messages);
  if (present.pending.length === 0) return { ...present, items };
  const keys = new Set(items.map(itemKey));
  const pending = present.pending.filter((item) => !keys.has(itemKey(item)));
  return { ...present, items, pending };
}

/** Drops the oldest items above the limit. */
export function trimmed(conversation: Conversation): Conversation {
  const most = conversation.anchor === undefined ? mostItems : mostItemsPaged;
  if (conversation.items.length <= most + slack) return conversation;
  const items = conversation.items.slice(-most);
  const oldest = items.find((item): item is Message => item.kind === "message");
  if (oldest === undefined) return { ...conversation, items };
  return { ...conversation, items, older: writeCursor(oldest) };
}

export function isRead(read: Vector, { server, seq }: Message): boolean {
  return seq <= (read[server] ?? 0);
}

export function isUnread(item: Placed, read: Vector, me: string): item is Message {
  return item.kind === "message" && !isBy(item, me) && !isRead(read, item);
}

/** Raises a vector to cover the messages. @returns `read` itself if it covers them */
export function readAll(read: Vector, messages: readonly Placed[]): Vector {
  let raised: MutableVector | undefined;
  for (const item of messages) {
    if (item.kind !== "message" || isRead(raised ?? read, item)) continue;
    raised ??= { ...read };
    raised[item.server] = item.seq;
  }
  return raised ?? read;
}

/** @returns the key of the first message of another user that the vector does not cover */
export function firstUnread(
  items: readonly Placed[],
  read: Vector,
  me: string,
): string | undefined {
  const first = items.find((item) => isUnread(item, read, me));
  return first === undefined ? undefined : itemKey(first);
}
