import { type ChatModel, type Conversation, change, currentOf, listed } from "./chat-model.ts";
import { andThen, atEnd, open, type Step, still } from "./chat-steps.ts";
import { complete } from "./completion.ts";
import { isControl, type Key } from "./keys.ts";
import { edit, emptyEditor, submitted, textOf } from "./line-editor.ts";
import { pressOverlay } from "./overlay-keys.ts";
import { turn } from "./paging.ts";
import { submit } from "./submit.ts";

/** Longest time between two presses of Ctrl-C that quit the chat. */
const quitAgainMs = 3_000;

/** Letters and digits that have a meaning with Alt. */
const altLetters = /^[1-9abdfk]$/;

export function press(model: ChatModel, key: Key): Step {
  // A terminal sends the same bytes for Alt with a key and for Esc followed by that key. If Alt has
  // no meaning with the key, handle both keys, so that no typed text is lost.
  const isOne = key.ctrl !== true && altLetters.test(key.text ?? "");
  if (key.name === "text" && key.alt === true && !isOne) {
    const { alt: _, ...bare } = key;
    return andThen(press(model, { name: "escape" }), (next) => press(next, bare));
  }
  if (key.name === "unknown") return still(model);
  if (isControl(key, "l")) return { model, effects: [{ type: "redraw" }] };
  if (isControl(key, "z")) return { model, effects: [{ type: "suspend" }] };
  if (isControl(key, "c")) return interrupt(model);
  const awake: ChatModel = { ...model, quitAskedMs: undefined };
  const opensSwitch = isControl(key, "k") && awake.overlay?.type !== "switch";
  if (awake.overlay !== undefined && !opensSwitch) return pressOverlay(awake, awake.overlay, key);
  const { name, text = "" } = key;
  if (name === "tab" || name === "backtab") return still(completed(awake, name));
  const plain: ChatModel = { ...awake, completion: undefined };
  if (name === "enter" && key.alt !== true) return submit(plain);
  if (name === "pageUp") return turn(plain, "up");
  if (name === "pageDown") return turn(plain, "down");
  if (name === "escape") return still(change(plain, plain.current, atEnd));
  if (opensSwitch) {
    const overlay = { type: "switch", filter: emptyEditor, chosen: 0 } as const;
    return { model: { ...plain, overlay }, effects: [{ type: "names" }] };
  }
  if (isControl(key, "d") && textOf(plain.editor) === "")
    return { model, effects: [{ type: "quit" }] };
  if (key.alt === true) {
    if (name === "up") return openIfAny(plain, neighbour(plain, -1));
    if (name === "down") return openIfAny(plain, neighbour(plain, 1));
    if (name === "text" && /^[1-9]$/.test(text)) {
      return openIfAny(plain, listed(plain)[Number(text) - 1]);
    }
    if (name === "text" && text === "a") return openIfAny(plain, nextUnread(plain));
  }
  const editor = edit(plain.editor, key);
  return still(editor === undefined ? plain : { ...plain, editor });
}

/**
 * Ctrl-C moves the text to the history, for ↑ to recall. On an empty line, a second Ctrl-C quits.
 */
function interrupt(model: ChatModel): Step {
  const { editor, overlay, nowMs } = model;
  if (overlay !== undefined) return still({ ...model, overlay: undefined });
  if (textOf(editor) !== "") return still({ ...model, editor: submitted(editor) });
  const isAgain = quitAsked(model, nowMs) !== undefined;
  return isAgain ? { model, effects: [{ type: "quit" }] } : still({ ...model, quitAskedMs: nowMs });
}

/**
 * @returns the time of the last Ctrl-C, if a second Ctrl-C at `nowMs` would quit the chat; else
 * undefined
 */
export function quitAsked({ quitAskedMs }: ChatModel, nowMs: number): number | undefined {
  if (quitAskedMs === undefined || nowMs - quitAskedMs > quitAgainMs) return undefined;
  return quitAskedMs;
}

function completed(model: ChatModel, name: "tab" | "backtab"): ChatModel {
  const { presence, conversations, me } = model;
  const here = currentOf(model).items.flatMap((item) => (item.kind === "message" ? item.user : []));
  const people = conversations.flatMap(({ target }) => target?.user ?? []);
  // The last speaker of this conversation is suggested first.
  const users = [...new Set([...here.reverse(), ...people, ...presence.keys(), ...model.users])];
  const joined = conversations.flatMap(({ target }) => target?.channel ?? []);
  const channels = [...new Set([...joined, ...model.channels])];
  const names = { users: users.filter((user) => user !== me), channels };
  const step = name === "tab" ? 1 : -1;
  const { editor, completion } = complete(model.editor, names, { present: model.completion, step });
  return { ...model, editor, completion };
}

function openIfAny(model: ChatModel, chosen: Conversation | undefined): Step {
  return still(chosen === undefined ? model : open(model, chosen.key));
}

function neighbour(model: ChatModel, step: -1 | 1): Conversation | undefined {
  const list = listed(model);
  return list[(list.indexOf(currentOf(model)) + step + list.length) % list.length];
}

/**
 * The next conversation with a mention or an unread private message, else the next one with unread
 * messages.
 */
function nextUnread(model: ChatModel): Conversation | undefined {
  const list = listed(model);
  const at = list.indexOf(currentOf(model));
  const others = [...list.slice(at + 1), ...list.slice(0, Math.max(0, at))];
  const isUrgent = ({ mentions, unread, target }: Conversation) =>
    mentions > 0 || (unread > 0 && target?.user !== undefined);
  return others.find(isUrgent) ?? others.find(({ unread }) => unread > 0);
}
