import { type ChatModel, type Conversation, change, currentOf, listed } from "./chat-model.ts";
import { atEnd, open, type Step, still } from "./chat-steps.ts";
import { complete } from "./completion.ts";
import { isControl, type Key } from "./keys.ts";
import { edit, emptyEditor, submitted, textOf } from "./line-editor.ts";
import { pressOverlay } from "./overlay-keys.ts";
import { turn } from "./paging.ts";
import { submit } from "./submit.ts";

/** In which a second Ctrl-C quits. */
const quitAgainMs = 3_000;

/** Letters that mean something with Alt. */
const altLetters = /^[1-9abdfk]$/;

/** A key that the person pressed. */
export function press(model: ChatModel, key: Key): Step {
  // Esc, and at once another key, look the same as that one with Alt: nothing typed gets lost.
  const isOne = key.ctrl !== true && altLetters.test(key.text ?? "");
  if (key.name === "text" && key.alt === true && !isOne) {
    const { alt: _, ...bare } = key;
    const first = press(model, { name: "escape" });
    const second = press(first.model, bare);
    return { model: second.model, effects: [...first.effects, ...second.effects] };
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
  if (name === "pageUp" || name === "pageDown")
    return turn(plain, name === "pageUp" ? "up" : "down");
  if (name === "escape") return still(change(plain, plain.current, atEnd));
  if (opensSwitch) {
    const overlay = { type: "switch", filter: emptyEditor, chosen: 0 } as const;
    return { model: { ...plain, overlay }, effects: [{ type: "names" }] };
  }
  if (isControl(key, "d") && textOf(plain.editor) === "")
    return { model, effects: [{ type: "quit" }] };
  if (key.alt === true) {
    if (name === "up" || name === "down") return neighbour(plain, name === "up" ? -1 : 1);
    if (name === "text" && /^[1-9]$/.test(text)) return openNumber(plain, Number(text));
    if (name === "text" && text === "a") return openUnread(plain);
  }
  const editor = edit(plain.editor, key);
  return still(editor === undefined ? plain : { ...plain, editor });
}

/** Ctrl-C puts aside what was written, for ↑ to bring back; without anything, twice, it quits. */
function interrupt(model: ChatModel): Step {
  const { editor, overlay, nowMs } = model;
  if (overlay !== undefined) return still({ ...model, overlay: undefined });
  if (textOf(editor) !== "") return still({ ...model, editor: submitted(editor) });
  const isAgain = quitAsked(model, nowMs) !== undefined;
  return isAgain ? { model, effects: [{ type: "quit" }] } : still({ ...model, quitAskedMs: nowMs });
}

/** When it was, if that is not long ago. */
export function quitAsked({ quitAskedMs }: ChatModel, nowMs: number): number | undefined {
  if (quitAskedMs === undefined || nowMs - quitAskedMs > quitAgainMs) return undefined;
  return quitAskedMs;
}

function completed(model: ChatModel, name: "tab" | "backtab"): ChatModel {
  const { presence, conversations, me } = model;
  const here = currentOf(model).items.flatMap((item) => (item.kind === "message" ? item.user : []));
  const people = conversations.flatMap(({ target }) => target?.user ?? []);
  // Who spoke here last comes first.
  const users = [...new Set([...here.reverse(), ...people, ...presence.keys(), ...model.users])];
  const joined = conversations.flatMap(({ target }) => target?.channel ?? []);
  const channels = [...new Set([...joined, ...model.channels])];
  const names = { users: users.filter((user) => user !== me), channels };
  const step = name === "tab" ? 1 : -1;
  const { editor, completion } = complete(model.editor, names, { present: model.completion, step });
  return { ...model, editor, completion };
}

function openNumber(model: ChatModel, number: number): Step {
  const chosen = listed(model)[number - 1];
  return chosen === undefined ? still(model) : open(model, chosen.key);
}

function neighbour(model: ChatModel, step: -1 | 1): Step {
  const list = listed(model);
  const at = list.findIndex(({ key }) => key === model.current);
  const next = list[(at + step + list.length) % list.length];
  return next === undefined ? still(model) : open(model, next.key);
}

/** Mentions and private messages first, then whatever comes next in the list. */
function openUnread(model: ChatModel): Step {
  const list = listed(model);
  const at = list.findIndex(({ key }) => key === model.current);
  const others = [...list.slice(at + 1), ...list.slice(0, Math.max(0, at))];
  const isUrgent = ({ mentions, unread, target }: Conversation) =>
    mentions > 0 || (unread > 0 && target?.user !== undefined);
  const next = others.find(isUrgent) ?? others.find(({ unread }) => unread > 0);
  return next === undefined ? still(model) : open(model, next.key);
}
