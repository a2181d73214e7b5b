import type { TextKey } from "../../texts/en.ts";
import type { Text } from "../../texts/texts.ts";
import type { Words } from "../core/words.ts";

type Say = (key: TextKey, values: Readonly<Record<string, string | number>>) => string;

/** The words of the full-screen chat, out of the catalogue. */
export function chatWords(text: Text): Words {
  // The compiler sees that each key is there; what it holds is checked by the tests.
  const say = text as Say;
  return (key, values = {}) => say(`chat.${key}`, values);
}
