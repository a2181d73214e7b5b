import type { Entry } from "../../protocol/publications.ts";
import type { Vector } from "../../protocol/vector.ts";
import type { EventOf } from "./chat-events.ts";
import {
  type ChatModel,
  type Conversation,
  type ConversationKey,
  change,
  find,
  type Message,
} from "./chat-model.ts";
import {
  andThen,
  countUnread,
  enter,
  enterAll,
  look,
  type Step,
  still,
  targetOf,
} from "./chat-steps.ts";
import { asMessage, fill, firstUnread, readAll, trimmed } from "./message-list.ts";
import { type Target, writeTarget } from "./target.ts";

/** Adds the newest messages of an entered conversation, and counts the unread ones. */
export function joined(model: ChatModel, { target, entries, next }: EventOf<"joined">): Step {
  const key = writeTarget(target);
  const { channel } = target;
  const messages = entries.map(asMessage);
  // Drop the messages if the person has left the conversation since the fetch began.
  if (find(model, key) === undefined) return still(model);
  // In a channel that the person enters for the first time, all present messages count as read.
  const isNew = channel !== undefined && model.saved.read[key] === undefined;
  const filled = change(model, key, (present) => {
    const read = isNew ? readAll(present.read, messages) : present.read;
    const known = fill({ ...present, read }, messages);
    const counts = countUnread(known.items, { ...known, me: model.me });
    return trimmed({ ...known, ...counts, older: next, isFetching: false, isJoined: true });
  });
  const isListed = channel === undefined || model.channels.includes(channel);
  const channels = isListed ? model.channels : [...model.channels, channel].sort();
  const ready = { ...filled, channels };
  return still(model.current === key ? look(ready) : ready);
}

/** Adds the private conversations that have messages since the saved chat. */
export function found(model: ChatModel, { users, heard }: EventOf<"found">): Step {
  const targets = users.map((user) => ({ user }));
  // If an earlier chat was saved, all messages of a conversation without a read mark are unread.
  const unknown = model.saved.heard && {};
  return enterAll({ ...model, heard }, targets, unknown);
}

/**
 * Adds received messages to their conversations. Adds a private conversation that is not in the
 * list.
 */
export function receive(model: ChatModel, entries: readonly Entry[]): Step {
  const groups = new Map<ConversationKey, { target: Target; messages: Message[] }>();
  for (const entry of entries) {
    const target = targetOf(entry, model.me);
    const key = writeTarget(target);
    const group = groups.get(key) ?? { target, messages: [] };
    group.messages.push(asMessage(entry));
    groups.set(key, group);
  }
  let step = still(model);
  for (const [key, { target, messages }] of groups) {
    // Drop messages of a channel that the person has left.
    if (target.channel !== undefined && find(model, key) === undefined) continue;
    step = andThen(step, (present) => enter(present, target));
    const heard = change(step.model, key, (present) => withNew(model, present, messages));
    step = { ...step, model: heard };
  }
  const clock = Math.max(model.clock, ...entries.map((entry) => entry.clock));
  const heard = raised(model.heard, entries);
  return { ...step, model: { ...step.model, clock, heard } };
}

/** Raises `heard` so that it covers the private messages among the entries. */
function raised(heard: Vector | undefined, entries: readonly Entry[]): Vector | undefined {
  const privately = entries.filter((entry) => "dst" in entry);
  return heard && readAll(heard, privately.map(asMessage));
}

function withNew(
  { me, current }: ChatModel,
  present: Conversation,
  messages: readonly Message[],
): Conversation {
  const { key, anchor, read } = present;
  const filled = trimmed(fill(present, messages));
  if (key === current && anchor === undefined && present.isJoined) {
    return { ...filled, read: readAll(read, messages), unread: 0, mentions: 0 };
  }
  const shown = new Set<unknown>(filled.items);
  const fresh = countUnread(
    messages.filter((message) => shown.has(message)),
    { ...present, me },
  );
  return {
    ...filled,
    unread: present.unread + fresh.unread,
    mentions: present.mentions + fresh.mentions,
  };
}

/** Adds a page of older messages to its conversation. */
export function older(model: ChatModel, { key, before, entries, next }: EventOf<"older">): Step {
  const fetched = change(model, key, (present) => {
    // If the conversation's oldest message has changed since the request, this page would leave a
    // gap.
    if (present.older !== before) return { ...present, isFetching: false };
    const filled = fill(present, entries.map(asMessage));
    const { items } = filled;
    // If the oldest message before this page was added is new, messages of the page may also be
    // new. Then the line "new since you left" moves up to the oldest new message.
    const isAllNew = present.firstNew !== undefined && present.firstNew === oldestOf(present);
    const read = model.saved.read[key];
    const earlier = isAllNew && read ? firstUnread(items, read, model.me) : undefined;
    const firstNew = earlier ?? present.firstNew;
    return { ...filled, firstNew, older: next, isFetching: false };
  });
  return still(fetched);
}

/** @returns the key of the oldest message */
function oldestOf({ items }: Conversation): string | undefined {
  return firstUnread(items, {}, "");
}
