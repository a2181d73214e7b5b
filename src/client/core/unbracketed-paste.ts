import { withPlainLineEnds } from "../../protocol/plain-text.ts";
import { isControl, type Key } from "./keys.ts";

function typesText({ name, ctrl, alt }: Key): boolean {
  return name === "text" && ctrl !== true && alt !== true;
}

function endsLine(key: Key): boolean {
  return (key.name === "enter" && key.alt !== true) || isControl(key, "j");
}

/**
 * Whether keys that arrived in one chunk are a paste that the terminal did not bracket. In such a
 * chunk, text follows the end of a line, and no person types that fast.
 */
export function isUnbracketedPaste(keys: readonly Key[]): boolean {
  const end = keys.findIndex(endsLine);
  return end >= 0 && keys.slice(end).some(typesText);
}

/**
 * Turns the keys into a bracketed paste: Enter, Tab and control characters become text. Keys that
 * move or erase stay keys, because a person may have typed them over a slow line.
 */
export function asPaste(keys: readonly Key[]): readonly Key[] {
  const pasted: Key[] = [];
  for (const key of keys) {
    const text = textOf(key);
    const before = pasted.at(-1);
    if (text === undefined) pasted.push(key);
    else if (before?.name !== "paste") pasted.push({ name: "paste", text });
    else pasted[pasted.length - 1] = { name: "paste", text: before.text + text };
  }
  return pasted.map((key) =>
    key.name === "paste" ? { name: "paste", text: withPlainLineEnds(key.text ?? "") } : key,
  );
}

function textOf({ name, text = "", ctrl }: Key): string | undefined {
  switch (name) {
    case "paste":
      return text;
    case "text":
      return ctrl === true ? String.fromCharCode(text.charCodeAt(0) & 0x1f) : text;
    case "enter":
      return "\r";
    case "tab":
      return "\t";
    default:
      return undefined;
  }
}
