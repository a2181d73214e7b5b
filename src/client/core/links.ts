import { harmless } from "../../protocol/harmless.ts";
import type { Conversation } from "./chat-model.ts";
import { spokenText } from "./slash-command.ts";

export interface Link {
  readonly url: string;
  /** Where it stands in its text, in UTF-16 units. */
  readonly from: number;
  readonly to: number;
}

/** Up to a space, a quote, or what is not to be seen: that, and its symbols, can't be opened. */
const address = /(?<![\p{L}\p{N}])https?:\/\/[^\p{C}\p{Z}\u2400-\u2426<>"`{}|\\^]+/giu;
/** What ends a sentence behind an address, and what closes a bracket or a quote around it. */
const closing = /[.,;:!?'’”»…)\]]/;
const brackets: Readonly<Record<string, string>> = { ")": "(", "]": "[" };

/** The web addresses in a text, each whole, without the sentence's own marks behind it. */
export function linksIn(text: string): readonly Link[] {
  return Array.from(text.matchAll(address)).flatMap(({ index, 0: found }) => {
    let end = found.length;
    while (closing.test(found[end - 1] ?? "") && !closesOwn(found.slice(0, end))) end -= 1;
    const url = found.slice(0, end);
    return /^https?:\/\/[\p{L}\p{N}[]/iu.test(url) ? { url, from: index, to: index + end } : [];
  });
}

/** Whether the last character closes a bracket that the address itself opens. */
function closesOwn(url: string): boolean {
  const close = url.at(-1) ?? "";
  const open = brackets[close];
  return open !== undefined && url.split(open).length >= url.split(close).length;
}

export function linksOf({ items, pending }: Conversation): readonly string[] {
  const said = [...items, ...pending].flatMap((item) => (item.kind === "notice" ? [] : item.text));
  return linksOfTexts(said);
}

/** Those of all the texts, each once, the newest last; they steer no terminal. */
export function linksOfTexts(texts: readonly string[]): readonly string[] {
  const urls = texts
    .flatMap((text) => spokenText(text).split("\n"))
    .flatMap((line) => linksIn(harmless(line)).map(({ url }) => url));
  return [...new Set(urls.reverse())].reverse();
}
