import type { ChatEvent, EventOf } from "./chat-events.ts";
import {
  type ChatModel,
  change,
  find,
  homeKey,
  listed,
  type Message,
  type Refused,
  type SavedChat,
} from "./chat-model.ts";
import { found, joined, older, receive } from "./chat-receive.ts";
import {
  aside,
  atEnd,
  enter,
  enterAll,
  goTo,
  notice,
  remove,
  type Step,
  still,
} from "./chat-steps.ts";
import { press, quitAsked } from "./key-press.ts";
import { type Editor, emptyEditor, submitted, withText } from "./line-editor.ts";
import { fill, itemKey, trimmed } from "./message-list.ts";
import type { Outgoing } from "./outgoing.ts";
import { savingOf } from "./saved-chat.ts";
import { foundLines } from "./search.ts";
import { timeOf } from "./server-time.ts";
import { parseTarget, writeTarget } from "./target.ts";

/** @returns the chat after an event, and what the shell must do. A pure function. */
export function update(before: ChatModel, event: ChatEvent): Step {
  return completed(before, step(before, event));
}

/** @returns a step that also keeps the drafts, and saves the chat if it must be saved */
export function completed(before: ChatModel, { model, effects }: Step): Step {
  const saving = savingOf(before, model);
  const save = { type: "save", isUrgent: saving === "at once" } as const;
  return {
    model: model.current === before.current ? model : withDraft(model, before),
    effects: saving === undefined ? effects : [...effects, save],
  };
}

/**
 * Stores an unsent text with its conversation, and restores the text of the newly opened
 * conversation.
 */
function withDraft(model: ChatModel, { current: left }: ChatModel): ChatModel {
  const { editor, current, drafts } = model;
  const { [left]: _, [current]: draft = emptyEditor, ...others } = drafts;
  const next = { ...model, drafts: others, completion: undefined };
  const isHome = left === homeKey || current === homeKey;
  // A text can't be sent on the home page. So the text moves along when the person enters or leaves
  // the home page, unless the opened conversation has an unsent text.
  if (isHome && draft.graphemes.length === 0) return next;
  const { history, cut } = isHome ? submitted(editor) : editor;
  const isKept = !isHome && editor.graphemes.length > 0;
  return {
    ...next,
    editor: { ...draft, history, cut },
    drafts: isKept ? { ...others, [left]: editor } : others,
  };
}

function step(model: ChatModel, event: ChatEvent): Step {
  switch (event.type) {
    case "key":
      return press(model, event.key);
    case "resize":
      return { model: { ...model, size: event.size }, effects: [{ type: "redraw" }] };
    case "tick":
      return still({ ...model, nowMs: event.nowMs, quitAskedMs: quitAsked(model, event.nowMs) });
    case "started":
      return started(model, event);
    case "entries":
      return receive(model, event.entries);
    case "joined":
      return joined(model, event);
    case "notJoined": {
      // Show the home page, not another channel: a half-written text must not go to another
      // channel.
      const left = remove(model, `#${event.channel}`, homeKey);
      return still(aside(left, [event.why], true));
    }
    case "found":
      return found(model, event);
    case "older":
      return older(model, event);
    case "notOlder":
      return still(change(model, event.key, (present) => ({ ...present, isFetching: false })));
    case "searched":
      return still(notice(model, foundLines(model, event)));
    case "queued":
      return queued(model, event.outgoing);
    case "sent":
      return sent(model, event);
    case "refused":
      return still(refused(model, event.outgoing, event.why));
    case "connection":
      return still({ ...model, connection: event.connection });
    case "served": {
      const { server, roundTripMs, clock } = event;
      return still({ ...model, server, roundTripMs, clock: Math.max(model.clock, clock) });
    }
    case "presence":
      return still({ ...model, presence: event.users });
    case "names":
      return named(model, event);
    case "notice":
      return still((event.isAside ? aside : notice)(model, event.lines, event.isProblem));
    case "language":
      return still({ ...model, language: event.language, words: event.words });
    default:
      return event satisfies never;
  }
}

/** Restores the conversations of an earlier chat. For a new person, opens the first channel. */
function started(model: ChatModel, { saved, channels }: EventOf<"started">): Step {
  // Line mode saves read marks but no channels. So a person with saved read marks and no saved
  // channels may be new to the full screen.
  const isNew = saved.joined.length === 0 && saved.current === homeKey;
  const names = isNew ? channels.slice(0, 1) : saved.joined;
  const keys = [...names.map((name) => `#${name}`), ...privateKeys(saved)];
  const targets = keys.flatMap((key) => parseTarget(key) ?? []);
  const known = { ...withSavedDrafts(model, saved), channels, saved, isNew };
  const { model: begun, effects } = enterAll(known, targets);
  const left = saved.current === homeKey ? undefined : find(begun, saved.current);
  const shown = { ...begun, current: (left ?? listed(begun)[0])?.key ?? homeKey };
  const isAlone = isNew && targets.length === 0;
  return { model: isAlone ? notice(shown, [model.words("chat.noChannels")]) : shown, effects };
}

/** Restores saved drafts. A saved draft never replaces a text typed since this chat began. */
function withSavedDrafts(model: ChatModel, saved: SavedChat): ChatModel {
  const drafts: Record<string, Editor> = {};
  for (const [key, texts] of Object.entries(saved.drafts)) {
    drafts[key] = withText(emptyEditor, texts.join("\n"));
  }
  const { [homeKey]: atHome, ...others } = drafts;
  const isEmpty = model.editor.graphemes.length === 0;
  const editor = atHome !== undefined && isEmpty ? atHome : model.editor;
  return { ...model, editor, drafts: { ...others, ...model.drafts } };
}

function privateKeys({ read, closed }: SavedChat): string[] {
  return Object.keys(read).filter((key) => key.startsWith("@") && !closed.includes(key));
}

/**
 * Stores the names. If a new person began in a cluster without channels, opens the first channel
 * that is created.
 */
function named(model: ChatModel, event: EventOf<"names">): Step {
  const { users = model.users, channels = model.channels } = event;
  const known = { ...model, users, channels };
  const [first] = channels;
  const target = first === undefined ? undefined : parseTarget(`#${first}`);
  const isAlone = model.isNew && model.channels.length === 0 && model.current === homeKey;
  return isAlone && target !== undefined ? goTo(known, target) : still(known);
}

function queued(model: ChatModel, { id, user, target, text, atMs }: Outgoing): Step {
  const key = writeTarget(target);
  const there = target.channel === undefined ? enter(model, target) : still(model);
  const item = { kind: "pending", id, user, text, timeMs: atMs } as const;
  const waiting = change(there.model, key, (present) => {
    const isThere = [...present.items, ...present.pending].some(
      (other) => itemKey(other) === itemKey(item),
    );
    if (isThere) return present;
    const more = { ...present, pending: [...present.pending, item] };
    return key === model.current ? atEnd(more) : more;
  });
  return { model: waiting, effects: there.effects };
}

function sent(model: ChatModel, { outgoing, receipt }: EventOf<"sent">): Step {
  const { id, user, target, text } = outgoing;
  const { server, seq, clock, durable } = receipt;
  const timeMs = timeOf(receipt.timestamp);
  const message: Message = { kind: "message", user, text, timeMs, clock, server, seq, id };
  const key = writeTarget(target);
  const told = change(model, key, (present) => trimmed(fill(present, [message])));
  const highest = Math.max(model.clock, clock);
  return still({ ...told, server, replicas: durable.length, clock: highest });
}

/**
 * Marks a pending message as refused. The message gets a fixed place in the conversation, and
 * scrolls up with the messages before it.
 */
function refused(
  model: ChatModel,
  { id, target, user, text, atMs }: Outgoing,
  why: string,
): ChatModel {
  const key = writeTarget(target);
  if (find(model, key) === undefined) return notice(model, [`${key}: ${text}`, why], true);
  const item: Refused = { kind: "refused", id, user, text, timeMs: atMs, why };
  return change(model, key, (present) =>
    trimmed({
      ...present,
      items: [...present.items, item],
      pending: present.pending.filter((other) => other.id !== id),
    }),
  );
}
