import { writeCursor } from "../../protocol/cursor.ts";
import { compareOrder } from "../../protocol/event.ts";
import type { Entry } from "../../protocol/publications.ts";
import type { MutableVector, Vector } from "../../protocol/vector.ts";
import type { Conversation, Item, Message, Placed } from "./chat-model.ts";
import { timeOf } from "./server-time.ts";

/** Items that a conversation holds; what is older is fetched again when it is paged to. */
export const mostItems = 2_000;
/** While older ones are being read, more of them are held. */
const mostItemsPaged = 8_000;
/** Cut away at once, so that not every message costs a cut. */
const slack = 200;

export function asMessage(entry: Entry): Message {
  const { message: text, clock, server, seq, id, timestamp } = entry;
  const user = "channel" in entry ? entry.user : entry.src;
  const timeMs = timeOf(timestamp);
  return { kind: "message", user, text, timeMs, clock, server, seq, id };
}

/**
 * Identifies an item. All copies of one request's message have the same key, whichever servers sent
 * them; another content under its id has another (R6).
 */
export function itemKey(item: Item): string {
  return item.kind === "notice"
    ? `notice ${item.number}`
    : `${item.user}\0${item.id}\0${item.text}`;
}

/** A conversation's items as they stand on the screen. */
export function itemAt({ items, pending }: Conversation, at: number): Item | undefined {
  return at < items.length ? items[at] : pending[at - items.length];
}

export function countOf({ items, pending }: Conversation): number {
  return items.length + pending.length;
}

/** Puts messages in their places in the total order; of twins (R6) the first stands. */
function merge(items: readonly Placed[], messages: readonly Message[]): readonly Placed[] {
  const merged = [...items];
  const known = new Map(items.map((item) => [itemKey(item), item]));
  for (const message of messages) {
    const key = itemKey(message);
    const twin = known.get(key);
    if (twin !== undefined) {
      if (twin.kind === "message" && compareOrder(twin, message) <= 0) continue;
      merged.splice(merged.indexOf(twin), 1);
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

/** With these messages; what of one's own is among them waits no more. */
export function fill(present: Conversation, messages: readonly Message[]): Conversation {
  const items = merge(present.items, messages);
  if (present.pending.length === 0) return { ...present, items };
  const keys = new Set(items.map(itemKey));
  const pending = present.pending.filter((item) => !keys.has(itemKey(item)));
  return { ...present, items, pending };
}

/** Drops the oldest above the bound; they are fetched again when somebody wants them. */
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

/** @returns the same vector if it covers all of them */
export function readAll(read: Vector, messages: readonly Placed[]): Vector {
  let raised: MutableVector | undefined;
  for (const item of messages) {
    if (item.kind !== "message" || isRead(raised ?? read, item)) continue;
    raised ??= { ...read };
    raised[item.server] = item.seq;
  }
  return raised ?? read;
}

/** The first message of another that the vector does not cover. */
export function firstUnread(
  items: readonly Placed[],
  read: Vector,
  me: string,
): string | undefined {
  const first = items.find(
    (item) => item.kind === "message" && item.user !== me && !isRead(read, item),
  );
  return first === undefined ? undefined : itemKey(first);
}
