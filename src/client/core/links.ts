import { harmless } from "../../protocol/harmless.ts";
import type { Conversation } from "./chat-model.ts";
import { spokenText } from "./slash-command.ts";

/** A web address in a text. */
export interface Link {
  readonly url: string;
  /** The place of the address in the text, in UTF-16 units. */
  readonly from: number;
  readonly to: number;
}

/**
 * Matches an address up to a space, a quote, an invisible character or a symbol shown for a control
 * character.
 */
const address = /(?<![\p{L}\p{N}])https?:\/\/[^\p{C}\p{Z}\u2400-\u2426<>"`{}|\\^]+/giu;
/** Punctuation after an address: it belongs to the sentence, not to the address. */
const closing = /[.,;:!?'’”»…)\]]/;
const brackets: Readonly<Record<string, string>> = { ")": "(", "]": "[" };

/** @returns the web addresses in a text, without the punctuation after them */
export function linksIn(text: string): readonly Link[] {
  return Array.from(text.matchAll(address)).flatMap(({ index, 0: found }) => {
    let end = found.length;
    while (closing.test(found[end - 1] ?? "") && !closesOwn(found.slice(0, end))) end -= 1;
    const url = found.slice(0, end);
    return /^https?:\/\/[\p{L}\p{N}[]/iu.test(url) ? { url, from: index, to: index + end } : [];
  });
}

/** Whether the last character closes a bracket that was opened in the address. */
function closesOwn(url: string): boolean {
  const close = url.at(-1) ?? "";
  const open = brackets[close];
  return open !== undefined && url.split(open).length >= url.split(close).length;
}

export function linksOf({ items, pending }: Conversation): readonly string[] {
  const said = [...items, ...pending].flatMap((item) => (item.kind === "notice" ? [] : item.text));
  return linksOfTexts(said);
}

/** @returns each address in the texts once, the newest last, without control characters */
export function linksOfTexts(texts: readonly string[]): readonly string[] {
  const urls = texts
    .flatMap((text) => spokenText(text).split("\n"))
    .flatMap((line) => linksIn(harmless(line)).map(({ url }) => url));
  return [...new Set(urls.reverse())].reverse();
}
