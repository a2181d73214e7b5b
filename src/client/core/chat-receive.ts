import type { Entry } from "../../protocol/messages.ts";
import type { ChatEvent } from "./chat-events.ts";
import {
  type ChatModel,
  type Conversation,
  change,
  currentOf,
  find,
  type Message,
} from "./chat-model.ts";
import { add, countUnread, open, type Step, still, targetOf } from "./chat-steps.ts";
import { asMessage, firstUnread, merge, readAll, trimmed } from "./message-list.ts";
import { writeTarget } from "./target.ts";

/** A channel is there: what was said in it so far, and how much of that is new. */
export function joined(
  model: ChatModel,
  { channel, entries, next }: ChatEvent & { readonly type: "joined" },
): Step {
  const key = `#${channel}`;
  const messages = entries.map(asMessage);
  const isKnown = model.saved.read[key] !== undefined;
  const there = add(model, { channel });
  const filled = change(there, key, (present) => {
    // Who is new in a channel has missed nothing.
    const read = isKnown ? present.read : readAll(present.read, messages);
    const counts = countUnread(messages, { ...present, read, me: model.me });
    const items = merge(present.items, messages);
    return { ...present, ...counts, read, items, older: next, isFetching: false };
  });
  const channels = model.channels.includes(channel)
    ? model.channels
    : [...model.channels, channel].sort();
  const ready = { ...filled, channels };
  return model.current === key ? open(ready, key) : still(ready);
}

/** Private messages of the past, to whomever they belong. */
export function privately(
  model: ChatModel,
  { entries, next }: ChatEvent & { readonly type: "private" },
): Step {
  const groups = grouped(entries, (entry) => writeTarget(targetOf(entry, model.me)));
  let filled: ChatModel = { ...model, privateOlder: next };
  for (const [key, group] of groups) {
    const messages = group.map(asMessage);
    const { closed, read: known } = model.saved;
    const read = known[key] ?? {};
    const { unread } = countUnread(messages, { me: model.me, read, isMuted: false });
    if (closed.includes(key) && unread === 0) continue;
    filled = add(filled, targetOf(group[0] as Entry, model.me));
    filled = change(filled, key, (present) => {
      const counts = countUnread(messages, { ...present, me: model.me });
      return { ...present, ...counts, items: merge(present.items, messages) };
    });
  }
  const conversations = filled.conversations.map((present) =>
    present.target?.user === undefined ? present : { ...present, older: next },
  );
  const all = { ...filled, conversations };
  return currentOf(all).target?.user === undefined ? still(all) : open(all, all.current);
}

/** What is said now. */
export function receive(model: ChatModel, entries: readonly Entry[]): Step {
  const groups = grouped(entries, (entry) => writeTarget(targetOf(entry, model.me)));
  let heard = model;
  for (const [key, group] of groups) {
    const target = targetOf(group[0] as Entry, model.me);
    // A channel that was just left.
    if (target.channel !== undefined && find(heard, key) === undefined) continue;
    heard = add(heard, target, { older: model.privateOlder });
    heard = change(heard, key, (present) => withNew(heard, present, group.map(asMessage)));
  }
  const clock = Math.max(model.clock, ...entries.map((entry) => entry.clock));
  return still({ ...heard, clock });
}

function withNew(
  { me, current }: ChatModel,
  present: Conversation,
  messages: readonly Message[],
): Conversation {
  const { key, anchor, read } = present;
  const ids = new Set(messages.flatMap(({ user, id }) => (user === me ? [id] : [])));
  const items = merge(present.items, messages);
  const shown = new Set<unknown>(items);
  const fresh = countUnread(
    messages.filter((message) => shown.has(message)),
    { ...present, me },
  );
  const filled = trimmed({
    ...present,
    pending: ids.size === 0 ? present.pending : present.pending.filter(({ id }) => !ids.has(id)),
    items,
  });
  if (key === current && anchor === undefined) {
    return { ...filled, read: readAll(read, messages), unread: 0, mentions: 0 };
  }
  return {
    ...filled,
    unread: present.unread + fresh.unread,
    mentions: present.mentions + fresh.mentions,
  };
}

export function older(
  model: ChatModel,
  { key, before, entries, next }: ChatEvent & { readonly type: "older" },
): Step {
  const fetched = change(model, key, (present) => {
    // Between this page and what is held by now something would be missing for good.
    if (present.older !== before) return { ...present, isFetching: false };
    const messages = entries.map(asMessage);
    const items = merge(present.items, messages);
    // All that was here may have been new to the person: then the line belongs further up.
    const isAllNew = present.firstNew !== undefined && present.firstNew === oldestOf(present);
    const read = model.saved.read[key];
    const earlier = isAllNew && read ? firstUnread(items, read, model.me) : undefined;
    const firstNew = earlier ?? present.firstNew;
    return { ...present, items, firstNew, older: next, isFetching: false };
  });
  return still(fetched);
}

/** Of others' messages. */
function oldestOf({ items }: Conversation): string | undefined {
  return firstUnread(items, {}, "");
}

function grouped(
  entries: readonly Entry[],
  keyOf: (entry: Entry) => string,
): ReadonlyMap<string, readonly Entry[]> {
  const groups = new Map<string, Entry[]>();
  for (const entry of entries) {
    const key = keyOf(entry);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [entry]);
    else group.push(entry);
  }
  return groups;
}
