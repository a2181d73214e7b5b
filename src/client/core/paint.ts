import { harmless } from "../../protocol/harmless.ts";

const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

/** Colours a text, or returns the text unchanged. */
export type Paint = (colour: keyof typeof codes, text: string) => string;

export const plain: Paint = (_colour, text) => text;

export const ansi: Paint = (colour, text) => `\x1b[${codes[colour]}m${text}\x1b[0m`;

const own = new RegExp(`(\x1b\\[(?:${[0, ...Object.values(codes)].join("|")})m)`);

/**
 * Makes a line safe for a terminal: replaces all control sequences except this program's own
 * colours.
 */
export function harmlessLine(line: string, paint: Paint): string {
  if (paint === plain) return harmless(line);
  // The pattern has a group, so `split` returns the colour codes too, at the odd indexes.
  return line
    .split(own)
    .map((part, at) => (at % 2 === 1 ? part : harmless(part)))
    .join("");
}
