import type { Entry, PrivateEntry } from "../../protocol/publications.ts";
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
  type Message,
  type Placed,
} from "./chat-model.ts";
import { mentionsOf } from "./mentions.ts";
import { firstUnread, isRead, readAll, trimmed } from "./message-list.ts";
import { spokenText } from "./slash-command.ts";
import { type Target, writeTarget } from "./target.ts";

/** What an event leads to. */
export interface Step {
  readonly model: ChatModel;
  readonly effects: readonly ChatEffect[];
}

export function still(model: ChatModel): Step {
  return { model, effects: [] };
}

/** Lines of the chat's own, at the end of where the person is. */
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

/** The same, and the person is taken there: he waits for it. */
export function notice(
  model: ChatModel,
  lines: readonly string[],
  isProblem: boolean = false,
): ChatModel {
  const told = aside(model, lines, isProblem);
  return change(told, currentOf(told).key, atEnd);
}

/**
 * What is there already stays; of what is not, the newest messages are fetched.
 * @param unknown what counts as read where that was never saved; without it, all but a page
 */
export function enter(model: ChatModel, target: Target, unknown?: Vector): Step {
  const key = writeTarget(target);
  if (find(model, key) !== undefined) return still(model);
  const effect = { type: "join", target, read: model.saved.read[key] ?? unknown } as const;
  return { model: add(model, target), effects: [effect] };
}

export function enterAll(model: ChatModel, targets: readonly Target[], unknown?: Vector): Step {
  const effects: ChatEffect[] = [];
  let entered = model;
  for (const target of targets) {
    const step = enter(entered, target, unknown);
    entered = step.model;
    effects.push(...step.effects);
  }
  return { model: entered, effects };
}

/** Channels stand before people; what is there already stays. */
export function add(model: ChatModel, target: Target): ChatModel {
  const key = writeTarget(target);
  if (find(model, key) !== undefined) return model;
  const { read, muted } = model.saved;
  const isMuted = muted.includes(key);
  const more = conversation(target, { read: read[key] ?? {}, isMuted, isFetching: true });
  const isChannel = (other: Conversation) => other.target?.channel !== undefined;
  const ordered = [...model.conversations, more];
  const conversations = [
    ...ordered.filter(({ target: other }) => other === undefined),
    ...ordered.filter(isChannel),
    ...ordered.filter((other) => other.target !== undefined && !isChannel(other)),
  ];
  return { ...model, conversations };
}

/** @param to where the person goes, if he was there; without it to the one that takes its place */
export function remove(model: ChatModel, key: ConversationKey, to?: ConversationKey): ChatModel {
  const conversations = model.conversations.filter((present) => present.key !== key);
  const gone = find(model, key);
  if (gone === undefined) return model;
  const others = model.saved.muted.filter((muted) => muted !== key);
  const saved = {
    ...model.saved,
    read: isKnown(gone) ? { ...model.saved.read, [key]: gone.read } : model.saved.read,
    muted: gone.isMuted ? [...others, key] : others,
  };
  const left = { ...model, conversations, saved };
  if (model.current !== key) return left;
  const at = listed(model).findIndex((present) => present.key === key);
  const list = listed(left);
  const next = to ?? list[Math.min(at, list.length - 1)]?.key ?? homeKey;
  return open(left, next).model;
}

/** Shows a conversation, from its newest message on. */
export function open(model: ChatModel, key: ConversationKey): Step {
  const left =
    model.current === key
      ? model
      : change(model, model.current, (present) => ({ ...present, firstNew: undefined }));
  const opened = change(left, key, (present) => ({ ...present, anchor: undefined }));
  return still(look({ ...opened, current: key }));
}

/** The person sees what is new where he is, unless he reads further up. */
export function look(model: ChatModel): ChatModel {
  return change(model, model.current, (present) => {
    const firstNew = firstUnread(present.items, present.read, model.me) ?? present.firstNew;
    const looked = { ...present, firstNew };
    return present.anchor === undefined ? asRead(looked) : looked;
  });
}

/** From the newest message on, which is read by that. */
export function atEnd(present: Conversation): Conversation {
  return asRead(trimmed({ ...present, anchor: undefined }));
}

function asRead(present: Conversation): Conversation {
  if (!present.isJoined) return present;
  return {
    ...present,
    unread: 0,
    mentions: 0,
    read: readAll(present.read, present.items),
  };
}

/** Whom a private message is with. */
function otherOf({ src, dst }: PrivateEntry, me: string): Target {
  return { user: src === me ? dst : src };
}

export function targetOf(entry: Entry, me: string): Target {
  return "channel" in entry ? { channel: entry.channel } : otherOf(entry, me);
}

/** How much of this somebody else wrote, and the person has not seen; if muted, only mentions. */
export function countUnread(
  items: readonly Placed[],
  { me, read, isMuted }: Pick<Conversation, "read" | "isMuted"> & { readonly me: string },
): Pick<Conversation, "unread" | "mentions"> {
  const fresh = items.filter(
    (item): item is Message => item.kind === "message" && item.user !== me && !isRead(read, item),
  );
  const mentions = fresh.filter(({ text }) => mentionsOf(spokenText(text), me).length > 0);
  return { unread: isMuted ? 0 : fresh.length, mentions: mentions.length };
}
