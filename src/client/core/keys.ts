import { withPlainLineEnds } from "../../protocol/plain-text.ts";

/** A pressed key, or a pasted text. */
export interface Key {
  readonly name: KeyName;
  /** The typed or pasted text, for the names `text` and `paste`. */
  readonly text?: string;
  readonly ctrl?: boolean;
  readonly alt?: boolean;
}

/** `text` is one or more typed characters, or the letter of a key with Ctrl or Alt. */
type KeyName =
  | "text"
  | "paste"
  | "enter"
  | "tab"
  | "backtab"
  | "escape"
  | "backspace"
  | "delete"
  | "up"
  | "down"
  | "left"
  | "right"
  | "home"
  | "end"
  | "pageUp"
  | "pageDown"
  | "unknown";

export function isControl({ name, ctrl, text }: Key, letter: string): boolean {
  return name === "text" && ctrl === true && text === letter;
}

interface Decoded {
  readonly keys: readonly Key[];
  /** An unfinished sequence at the end of the input. The caller puts it before the next input. */
  readonly rest: string;
}

const escapeByte = "\x1b";
const pasteBegins = "\x1b[200~";
const pasteEnds = "\x1b[201~";

const keysByByte: Readonly<Record<number, KeyName>> = {
  8: "backspace",
  9: "tab",
  13: "enter",
  127: "backspace",
};
/** Keys by the last character of their sequence (CSI, SS3). */
export const keysByFinal: Readonly<Record<string, KeyName>> = {
  A: "up",
  B: "down",
  C: "right",
  D: "left",
  F: "end",
  H: "home",
  Z: "backtab",
};
/** Enter on the keypad exists only with SS3: with CSI, `M` begins a mouse's report. */
const keypadEnter = "\x1bOM";
/** Keys by the number in their sequence (CSI number ~). */
export const keysByNumber: Readonly<Record<string, KeyName>> = {
  1: "home",
  3: "delete",
  4: "end",
  5: "pageUp",
  6: "pageDown",
  7: "home",
  8: "end",
};

/**
 * Matches the sequences that a terminal sends:
 * - a mouse's report in xterm's first format: button, column and row, one character each
 * - a function key of the Linux console
 * - CSI and SS3, for the other keys
 * - OSC, DCS, SOS, PM and APC, by which terminals answer questions
 */
const sequence =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with a control character
  /^\x1b(?:\[M.{3}|\[\[.|[[O]([0-?]*)[ -/]*([@-~])?|[\]PX^_][^\x00-\x1f\x7f]*(?:\x07|\x1b\\)?)/su;
/** Matches an unfinished `sequence`. */
const begun =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with a control character
  /^\x1b(?:\[M.{0,2}|\[\[|[[O][0-?]*[ -/]*|[\]PX^_][^\x00-\x1f\x7f]*\x1b?)?$/su;

/**
 * Decodes the bytes of a terminal in raw mode into keys (xterm's sequences, bracketed paste).
 * @param isAll true if no more input follows soon. Then a lone escape byte means the key Esc, and
 * the received part of an unfinished paste is returned
 */
export function decodeKeys(input: string, isAll = false): Decoded {
  const keys: Key[] = [];
  let rest = input;
  while (rest !== "") {
    const step = first(rest) ?? (isAll && !isPasting(rest) ? unended(rest) : undefined);
    if (step === undefined) return isAll ? soFar(keys, rest) : { keys, rest };
    keys.push(step.key);
    rest = rest.slice(step.length);
  }
  return { keys, rest };
}

/**
 * Whether an unfinished sequence may be a complete key press. A longer sequence is never a complete
 * key press: the rest of the sequence always follows.
 */
export function mayBeKey(rest: string): boolean {
  return rest.length <= 2;
}

interface Step {
  readonly key: Key;
  readonly length: number;
}

/** @returns the key of a sequence that was begun and does not continue */
function unended(rest: string): Step {
  if (rest.length === 1) return { key: { name: "escape" }, length: 1 };
  if (mayBeKey(rest)) return withAlt(rest);
  return { key: { name: "unknown" }, length: rest.length };
}

/**
 * Whether `rest` begins a paste. Then the next input belongs to the paste, up to the end of the
 * paste.
 */
export function isPasting(rest: string): boolean {
  return rest.startsWith(pasteBegins);
}

/** Returns the received part of a stalled paste. The next input continues the paste. */
function soFar(keys: readonly Key[], rest: string): Decoded {
  // The input may end within CR LF, or within the sequence that ends the paste. Then the received
  // part waits for its rest.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with a control character
  const end = rest.search(/(?:\r|\x1b(?:\[(?:2(?:0(?:1)?)?)?)?)$/);
  const key = pasted(rest, end < 0 ? rest.length : end);
  const left = pasteBegins + (end < 0 ? "" : rest.slice(end));
  return { keys: key.text === "" ? keys : [...keys, key], rest: left };
}

/** @returns the first key; undefined if its sequence is unfinished */
function first(input: string): Step | undefined {
  if (!input.startsWith(escapeByte)) return plain(input);
  if (isPasting(input)) {
    const end = input.indexOf(pasteEnds);
    if (end < 0) return undefined;
    return { key: pasted(input, end), length: end + pasteEnds.length };
  }
  if (begun.test(input)) return undefined;
  if (input.startsWith("\x1b\x1b")) return { key: { name: "escape" }, length: 1 };
  const [found = "", parameters, final] = sequence.exec(input) ?? [];
  if (mayBeKey(found)) return withAlt(input);
  const key = found === keypadEnter ? { name: "enter" as const } : sequenceKey(parameters, final);
  return { key, length: found.length };
}

function withAlt(input: string): Step {
  const letter = String.fromCodePoint(input.codePointAt(1) ?? 0);
  const { key, length } = plain(letter);
  return { key: { ...key, alt: true }, length: 1 + length };
}

function pasted(input: string, end: number): Key {
  return { name: "paste", text: withPlainLineEnds(input.slice(pasteBegins.length, end)) };
}

function sequenceKey(parameters = "", final = ""): Key {
  const [number = "", modifier = "1"] = parameters.split(";");
  // In the sequence of a key, this parameter has only digits; in a mouse's report it begins with
  // `<`.
  const isKey = /^\d*$/.test(number);
  const name = final === "~" ? keysByNumber[number] : isKey ? keysByFinal[final] : undefined;
  if (name === undefined) return { name: "unknown" };
  const bits = Number(modifier) - 1;
  return {
    name,
    ...((bits & 2) !== 0 ? { alt: true } : {}),
    ...((bits & 4) !== 0 ? { ctrl: true } : {}),
  };
}

function plain(input: string): Step {
  const character = String.fromCodePoint(input.codePointAt(0) ?? 0);
  const code = character.codePointAt(0) ?? 0;
  if (code >= 0x20 && code !== 0x7f) return typed(input);
  // A terminal on a serial line may send CR and LF for Enter.
  if (input.startsWith("\r\n")) return { key: { name: "enter" }, length: 2 };
  const letter = String.fromCharCode(code + 0x60);
  const name = keysByByte[code];
  const key: Key = name === undefined ? { name: "text", text: letter, ctrl: true } : { name };
  return { key, length: 1 };
}

/**
 * @returns the text up to the next control character, as a single key. So the chat handles a long
 * text as one key press, not character by character
 */
function typed(input: string): Step {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters end a typed text
  const end = input.search(/[\x00-\x1f\x7f]/);
  const text = end < 0 ? input : input.slice(0, end);
  return { key: { name: "text", text }, length: text.length };
}
