import { graphemes } from "./cells.ts";
import type { Key } from "./keys.ts";

/**
 * The text that the person is writing, with any number of lines, and the texts written before it.
 */
export interface Editor {
  readonly graphemes: readonly string[];
  /** Number of graphemes before the cursor. */
  readonly cursor: number;
  /** Submitted and replaced texts, the newest last. */
  readonly history: readonly string[];
  /**
   * Set while the editor shows a text of `history`: the text's index, and the unsent text to
   * restore afterwards.
   */
  readonly recalled: { readonly at: number; readonly draft: string } | undefined;
  /** The text that Ctrl-U, Ctrl-W, Alt-D or Alt-K removed last; Ctrl-Y inserts it. */
  readonly cut: string;
}

const mostHistory = 200;
/** The most UTF-16 units of a text: far more than a message may have, but quick to draw. */
const mostText = 20_000;

export const emptyEditor: Editor = {
  graphemes: [],
  cursor: 0,
  history: [],
  recalled: undefined,
  cut: "",
};

export function textOf(editor: Editor): string {
  return editor.graphemes.join("");
}

/** @returns the text that the person is writing, even while a text of the history is shown */
export function draftOf(editor: Editor): string {
  return editor.recalled?.draft ?? textOf(editor);
}

/** @returns the text before the cursor */
export function before(editor: Editor): string {
  return editor.graphemes.slice(0, editor.cursor).join("");
}

/**
 * @param units UTF-16 units before the cursor; a cursor within a character moves behind that
 * character
 */
export function withText(editor: Editor, text: string, units = text.length): Editor {
  const parts = graphemes(text);
  let cursor = 0;
  for (let left = units; left > 0 && cursor < parts.length; cursor += 1) {
    left -= parts[cursor]?.length ?? 0;
  }
  return { ...editor, graphemes: parts, cursor };
}

/** Empties the line and adds the text to the history. */
export function submitted(editor: Editor): Editor {
  const { cut, history } = adopted(editor);
  return { ...emptyEditor, cut, history: remembered(history, textOf(editor)) };
}

function remembered(history: readonly string[], text: string): readonly string[] {
  if (text.trim() === "") return history;
  return [...history.filter((older) => older !== text), text].slice(-mostHistory);
}

/**
 * Makes the recalled text the text that the person is writing. The person's unsent text is added to
 * the history.
 */
function adopted(editor: Editor): Editor {
  const { recalled, history } = editor;
  if (recalled === undefined) return editor;
  return { ...editor, recalled: undefined, history: remembered(history, recalled.draft) };
}

function insert(editor: Editor, text: string): Editor {
  const tail = editor.graphemes.slice(editor.cursor).join("");
  const front = before(editor);
  const room = Math.max(0, mostText - front.length - tail.length);
  const head = front + text.slice(0, room).toWellFormed();
  // Splits the whole text into graphemes, because an inserted mark or part of an emoji may join the
  // previous character.
  return withText(adopted(editor), head + tail, head.length);
}

/** @returns the edited text; undefined if the key does not edit */
export function edit(editor: Editor, key: Key): Editor | undefined {
  const { name, text = "", ctrl = false, alt = false } = key;
  if (name === "paste") return insert(editor, text);
  if (name === "text" && !ctrl && !alt) return insert(editor, text);
  if (name === "enter" && alt) return insert(editor, "\n");
  if (name === "up" || name === "down") return alt || ctrl ? undefined : vertical(editor, name);
  const motion = motionOf(key);
  if (motion !== undefined) return { ...editor, cursor: target(editor, motion) };
  const removal = removalOf(key);
  if (removal !== undefined) return removed(editor, target(editor, removal), name === "text");
  if (name !== "text") return undefined;
  switch (ctrl ? `C-${text}` : `M-${text}`) {
    case "C-j":
      return insert(editor, "\n");
    case "C-y":
      return insert(editor, editor.cut);
    case "C-p":
      return recall(editor, -1);
    case "C-n":
      return recall(editor, 1);
    default:
      return undefined;
  }
}

type Motion = "left" | "right" | "wordLeft" | "wordRight" | "lineStart" | "lineEnd";

function motionOf({ name, text, ctrl = false, alt = false }: Key): Motion | undefined {
  const word = ctrl || alt;
  if (name === "left") return word ? "wordLeft" : "left";
  if (name === "right") return word ? "wordRight" : "right";
  if (name === "home") return "lineStart";
  if (name === "end") return "lineEnd";
  if (name !== "text") return undefined;
  if (alt) return ({ b: "wordLeft", f: "wordRight" } as const)[text as "b"];
  if (!ctrl) return undefined;
  return ({ a: "lineStart", e: "lineEnd", b: "left", f: "right" } as const)[text as "a"];
}

/** @returns the motion from the cursor to the other end of the text that the key removes */
function removalOf({ name, text, ctrl = false, alt = false }: Key): Motion | undefined {
  if (name === "backspace") return alt || ctrl ? "wordLeft" : "left";
  if (name === "delete") return alt || ctrl ? "wordRight" : "right";
  if (name !== "text") return undefined;
  if (alt) return ({ d: "wordRight", k: "lineEnd" } as const)[text as "d"];
  if (!ctrl) return undefined;
  return ({ d: "right", u: "lineStart", w: "wordLeft" } as const)[text as "d"];
}

function target({ graphemes: parts, cursor }: Editor, motion: Motion): number {
  const isSpace = (at: number) => /^\s+$/u.test(parts[at] ?? "");
  let at = cursor;
  switch (motion) {
    case "left":
      return Math.max(0, cursor - 1);
    case "right":
      return Math.min(parts.length, cursor + 1);
    case "wordLeft":
      while (at > 0 && isSpace(at - 1)) at -= 1;
      while (at > 0 && !isSpace(at - 1)) at -= 1;
      return at;
    case "wordRight":
      while (at < parts.length && isSpace(at)) at += 1;
      while (at < parts.length && !isSpace(at)) at += 1;
      return at;
    case "lineStart":
      while (at > 0 && parts[at - 1] !== "\n") at -= 1;
      return at;
    case "lineEnd":
      while (at < parts.length && parts[at] !== "\n") at += 1;
      return at;
    default:
      return motion satisfies never;
  }
}

function removed(editor: Editor, to: number, isCut: boolean): Editor {
  const [from, end] = [Math.min(editor.cursor, to), Math.max(editor.cursor, to)];
  if (from === end) return editor;
  const parts = [...editor.graphemes];
  const gone = parts.splice(from, end - from).join("");
  const joined = withText(adopted(editor), parts.join(""), parts.slice(0, from).join("").length);
  return { ...joined, cut: isCut && gone.length > 1 ? gone : editor.cut };
}

/**
 * Moves the cursor a line up or down. On the first or last line, recalls an older or newer text.
 */
function vertical(editor: Editor, name: "up" | "down"): Editor {
  const { graphemes: parts, cursor } = editor;
  const start = target(editor, "lineStart");
  const end = target(editor, "lineEnd");
  if (name === "up" && start === 0) return recall(editor, -1);
  if (name === "down" && end === parts.length) return recall(editor, 1);
  const column = cursor - start;
  const first = name === "up" ? target({ ...editor, cursor: start - 1 }, "lineStart") : end + 1;
  const last = target({ ...editor, cursor: first }, "lineEnd");
  return { ...editor, cursor: Math.min(first + column, last) };
}

function recall(editor: Editor, step: -1 | 1): Editor {
  const { history, recalled } = editor;
  const at = (recalled?.at ?? history.length) + step;
  if (at < 0 || at > history.length || (step > 0 && recalled === undefined)) return editor;
  const draft = recalled?.draft ?? textOf(editor);
  if (at === history.length) return { ...withText(editor, draft), recalled: undefined };
  return { ...withText(editor, history[at] ?? ""), recalled: { at, draft } };
}
