import { sameName } from "./name-search.ts";

/** Matches the longest run of characters that are allowed in names. */
const run = /[\p{L}\p{N}\p{M}\p{Join_Control}_.-]+/gu;
/**
 * Matches the end of the text before a run, if the run belongs to a mail address or a channel's
 * name.
 */
const noMentionBehind = /(?:#|[\w.-]@)$/;

/**
 * @returns where a text mentions a name: `ana`, `@ana`, `(ana...)`; but not `banana`, `ana-maria`,
 * `#ana` or `ana@example.org`. Places count UTF-16 units.
 */
export function mentionsOf(text: string, name: string): readonly { from: number; to: number }[] {
  return Array.from(text.matchAll(run)).flatMap(({ index, 0: found }) => {
    const end = index + found.length;
    if (text[end] === "@" || noMentionBehind.test(text.slice(Math.max(0, index - 2), index))) {
      return [];
    }
    const part = nameIn(found, name);
    if (part === undefined) return [];
    const from = index + part.from;
    const hasSign = part.from === 0 && text[index - 1] === "@";
    return { from: hasSign ? from - 1 : from, to: index + part.to };
  });
}

/**
 * Finds the name in a run. Dots and dashes around the name belong to the sentence, except those
 * with which the name itself begins or ends.
 */
function nameIn(found: string, name: string): { from: number; to: number } | undefined {
  const [before = ""] = /^[.-]*/.exec(found) ?? [];
  const [behind = ""] = /[.-]*$/.exec(found.slice(before.length)) ?? [];
  const [own = ""] = /^[.-]*/.exec(name) ?? [];
  const [ownEnd = ""] = /[.-]*$/.exec(name.slice(own.length)) ?? [];
  const from = before.length - own.length;
  const to = found.length - behind.length + ownEnd.length;
  if (from < 0 || to > found.length) return undefined;
  return sameName(found.slice(from, to), name) ? { from, to } : undefined;
}
