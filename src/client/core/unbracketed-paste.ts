import { withPlainLineEnds } from "../../protocol/plain-text.ts";
import { isControl, type Key } from "./keys.ts";

function typesText({ name, ctrl, alt }: Key): boolean {
  return name === "text" && ctrl !== true && alt !== true;
}

function endsLine(key: Key): boolean {
  return (key.name === "enter" && key.alt !== true) || isControl(key, "j");
}

/**
 * Whether keys that came in one piece are a paste that the terminal did not bracket: text follows
 * the end of a line, faster than anybody types.
 */
export function isUnbracketedPaste(keys: readonly Key[]): boolean {
  const end = keys.findIndex(endsLine);
  return end >= 0 && keys.slice(end).some(typesText);
}

/**
 * Makes a bracketed paste of the keys: Enter, Tab and control characters become text. Keys that
 * move and erase stay keys, since a person may have typed them over a slow line.
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
