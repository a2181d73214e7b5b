import { type Key, keysByFinal, keysByNumber } from "./keys.ts";

/**
 * @returns the bytes that a terminal sends for a key (the reverse of `decodeKeys`), for a program
 * that reads one line. A paste therefore becomes one line.
 */
export function bytesOf(key: Key): string {
  const { name, text = "", ctrl = false, alt = false } = key;
  const meta = alt ? "\x1b" : "";
  switch (name) {
    case "paste":
      return asOneLine(text);
    case "text":
      return meta + (ctrl ? String.fromCharCode(text.charCodeAt(0) & 0x1f) : text);
    case "enter":
      return `${meta}\r`;
    case "tab":
      return `${meta}\t`;
    case "backspace":
      return `${meta}\x7f`;
    case "escape":
      return "\x1b";
    case "unknown":
      return "";
    default:
      return sequenceOf(key);
  }
}

/**
 * Replaces control characters with spaces, because the program that reads the line would treat a
 * line end as Enter, and any other control character as another key.
 */
function asOneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern must match control characters
  return text.replace(/\n+$/, "").replace(/[\x00-\x1f\x7f]+/g, " ");
}

function sequenceOf({ name, ctrl = false, alt = false }: Key): string {
  const modifier = 1 + (alt ? 2 : 0) + (ctrl ? 4 : 0);
  const named = ([, other]: [string, string]) => other === name;
  const [final] = Object.entries(keysByFinal).find(named) ?? [];
  if (final !== undefined) return modifier === 1 ? `\x1b[${final}` : `\x1b[1;${modifier}${final}`;
  const [number] = Object.entries(keysByNumber).find(named) ?? [];
  return modifier === 1 ? `\x1b[${number}~` : `\x1b[${number};${modifier}~`;
}
