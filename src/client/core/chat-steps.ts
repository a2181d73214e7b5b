import type { Entry } from "../../protocol/publications.ts";
import type { Vector } from "../../protocol/vector.ts";
import type { ChatEffect } from "./chat-events.ts";
import {
  type ChatModel,
  type Conversation,
  type ConversationKey,
  change,
  conversation,
  currentOf,
  find,
  homeKey,
  isKnown,
  listed,
  type Placed,
} from "./chat-model.ts";
import { mentionsOf } from "./mentions.ts";
import { firstUnread, isUnread, readAll, trimmed } from "./message-list.ts";
import { spokenText } from "./slash-command.ts";
import { type Target, writeTarget } from "./target.ts";

/** The model after an event, and what the shell must do. */
export interface Step {
  readonly model: ChatModel;
  readonly effects: readonly ChatEffect[];
}

export function still(model: ChatModel): Step {
  return { model, effects: [] };
}

/** Performs one step, then another step on the resulting model. */
export function andThen(first: Step, next: (model: ChatModel) => Step): Step {
  const { model, effects } = next(first.model);
  return { model, effects: [...first.effects, ...effects] };
}

/** Adds a notice of the chat to the end of the current conversation. */
export function aside(
  model: ChatModel,
  lines: readonly string[],
  isProblem: boolean = false,
): ChatModel {
  const number = model.notices + 1;
  return change({ ...model, notices: number }, currentOf(model).key, (present) =>
    trimmed({
      ...present,
      items: [...present.items, { kind: "notice", number, lines, isProblem }],
    }),
  );
}

/**
 * Adds a notice as `aside` does, and scrolls to the notice, because the person is waiting for it.
 */
export function notice(
  model: ChatModel,
  lines: readonly string[],
  isProblem: boolean = false,
): ChatModel {
  const told = aside(model, lines, isProblem);
  return change(told, currentOf(told).key, atEnd);
}

/**
 * Adds a conversation and fetches its newest messages. Does nothing if the conversation is in the
 * list.
 * @param unknown the read mark to use if none was saved. Without a read mark, only the newest page
 * is fetched
 */
export function enter(model: ChatModel, target: Target, unknown?: Vector): Step {
  const key = writeTarget(target);
  if (find(model, key) !== undefined) return still(model);
  const effect = { type: "join", target, read: model.saved.read[key] ?? unknown } as const;
  return { model: add(model, target), effects: [effect] };
}

export function enterAll(model: ChatModel, targets: readonly Target[], unknown?: Vector): Step {
  const enterNext = (step: Step, target: Target) =>
    andThen(step, (entered) => enter(entered, target, unknown));
  return targets.reduce(enterNext, still(model));
}

/**
 * Adds a conversation to the list, in which channels come before people. Does nothing if the
 * conversation is in the list.
 */
export function add(model: ChatModel, target: Target): ChatModel {
  const key = writeTarget(target);
  if (find(model, key) !== undefined) return model;
  const { read, muted } = model.saved;
  const isMuted = muted.includes(key);
  const more = conversation(target, { read: read[key] ?? {}, isMuted, isFetching: true });
  const conversations = [...model.conversations, more].sort((a, b) => rankOf(a) - rankOf(b));
  return { ...model, conversations };
}

function rankOf({ target }: Conversation): number {
  return target === undefined ? 0 : target.user === undefined ? 1 : 2;
}

/**
 * Opens a conversation, and adds it to the list if it is missing there. Shows a channel before the
 * servers have answered, because the person's next text is meant for that channel.
 */
export function goTo(model: ChatModel, target: Target): Step {
  const entered = enter(model, target);
  return { ...entered, model: open(entered.model, writeTarget(target)) };
}

/**
 * Removes a conversation.
 * @param to the conversation to show if the current one is removed; by default, its neighbour in
 * the list
 */
export function remove(model: ChatModel, key: ConversationKey, to?: ConversationKey): ChatModel {
  const gone = find(model, key);
  if (gone === undefined) return model;
  const others = model.saved.muted.filter((muted) => muted !== key);
  const saved = {
    ...model.saved,
    read: isKnown(gone) ? { ...model.saved.read, [key]: gone.read } : model.saved.read,
    muted: gone.isMuted ? [...others, key] : others,
  };
  const conversations = model.conversations.filter((present) => present !== gone);
  const left = { ...model, conversations, saved };
  if (model.current !== key) return left;
  const at = listed(model).indexOf(gone);
  const list = listed(left);
  return open(left, to ?? list[Math.min(at, list.length - 1)]?.key ?? homeKey);
}

/** Shows a conversation, scrolled to its newest message. */
export function open(model: ChatModel, key: ConversationKey): ChatModel {
  const left =
    model.current === key
      ? model
      : change(model, model.current, (present) => ({ ...present, firstNew: undefined }));
  const opened = change(left, key, (present) => ({ ...present, anchor: undefined }));
  return look({ ...opened, current: key });
}

/** Marks the current conversation as read, unless the person has scrolled up. */
export function look(model: ChatModel): ChatModel {
  return change(model, model.current, (present) => {
    const firstNew = firstUnread(present.items, present.read, model.me) ?? present.firstNew;
    const looked = { ...present, firstNew };
    return present.anchor === undefined ? asRead(looked) : looked;
  });
}

/** Scrolls to the newest message, and marks the conversation as read. */
export function atEnd(present: Conversation): Conversation {
  return asRead(trimmed({ ...present, anchor: undefined }));
}

function asRead(present: Conversation): Conversation {
  if (!present.isJoined) return present;
  const read = readAll(present.read, present.items);
  return { ...present, unread: 0, mentions: 0, read };
}

/** @returns the conversation that an entry belongs to */
export function targetOf(entry: Entry, me: string): Target {
  if ("channel" in entry) return { channel: entry.channel };
  return { user: entry.src === me ? entry.dst : entry.src };
}

/** Counts unread messages of other users; in a muted conversation, only mentions. */
export function countUnread(
  items: readonly Placed[],
  { me, read, isMuted }: Pick<Conversation, "read" | "isMuted"> & { readonly me: string },
): Pick<Conversation, "unread" | "mentions"> {
  const fresh = items.filter((item) => isUnread(item, read, me));
  const mentions = fresh.filter(({ text }) => mentionsOf(spokenText(text), me).length > 0);
  return { unread: isMuted ? 0 : fresh.length, mentions: mentions.length };
}
