import type { Entry } from "../../protocol/publications.ts";
import type { Vector } from "../../protocol/vector.ts";
import type { ChatEffect, ChatEvent } from "./chat-events.ts";
import { type ChatModel, type Conversation, change, find, type Message } from "./chat-model.ts";
import { countUnread, enter, enterAll, look, type Step, still, targetOf } from "./chat-steps.ts";
import { asMessage, fill, firstUnread, readAll, trimmed } from "./message-list.ts";
import { writeTarget } from "./target.ts";

/** What was said in a conversation so far, and how much of that is new. */
export function joined(
  model: ChatModel,
  { target, entries, next }: ChatEvent & { readonly type: "joined" },
): Step {
  const key = writeTarget(target);
  const { channel } = target;
  const messages = entries.map(asMessage);
  // It was left meanwhile.
  if (find(model, key) === undefined) return still(model);
  // Who is new in a channel has missed nothing.
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

/** Who wrote while the person was away. */
export function found(
  model: ChatModel,
  { users, heard }: ChatEvent & { readonly type: "found" },
): Step {
  const targets = users.map((user) => ({ user }));
  // With an earlier chat whatever they wrote is new.
  const unknown = model.saved.heard && {};
  return enterAll({ ...model, heard }, targets, unknown);
}

/** What is said now. */
export function receive(model: ChatModel, entries: readonly Entry[]): Step {
  const groups = grouped(entries, (entry) => writeTarget(targetOf(entry, model.me)));
  const effects: ChatEffect[] = [];
  let heard = model;
  for (const [key, group] of groups) {
    const target = targetOf(group[0] as Entry, model.me);
    // A channel that was just left.
    if (target.channel !== undefined && find(heard, key) === undefined) continue;
    const there = enter(heard, target);
    effects.push(...there.effects);
    heard = change(there.model, key, (present) => withNew(model, present, group.map(asMessage)));
  }
  const clock = Math.max(model.clock, ...entries.map((entry) => entry.clock));
  return { model: { ...heard, clock, heard: raised(model.heard, entries) }, effects };
}

/** By the private ones. */
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

export function older(
  model: ChatModel,
  { key, before, entries, next }: ChatEvent & { readonly type: "older" },
): Step {
  const fetched = change(model, key, (present) => {
    // Between this page and what is held by now something would be missing for good.
    if (present.older !== before) return { ...present, isFetching: false };
    const filled = fill(present, entries.map(asMessage));
    const { items } = filled;
    // All that was here may have been new to the person: then the line belongs further up.
    const isAllNew = present.firstNew !== undefined && present.firstNew === oldestOf(present);
    const read = model.saved.read[key];
    const earlier = isAllNew && read ? firstUnread(items, read, model.me) : undefined;
    const firstNew = earlier ?? present.firstNew;
    return { ...filled, firstNew, older: next, isFetching: false };
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
