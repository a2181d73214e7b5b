import { harmless } from "../../protocol/harmless.ts";

const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

/** Colours a text, or leaves it as it is. */
export type Paint = (colour: keyof typeof codes, text: string) => string;

export const plain: Paint = (_colour, text) => text;

export const ansi: Paint = (colour, text) => `\x1b[${codes[colour]}m${text}\x1b[0m`;

const own = new RegExp(`(\x1b\\[(?:${[0, ...Object.values(codes)].join("|")})m)`);

/** Makes a line safe for a terminal: only our own colours stay of all that would steer it. */
export function harmlessLine(line: string, paint: Paint): string {
  if (paint === plain) return harmless(line);
  // Split by a group: the odd parts are our colours.
  return line
    .split(own)
    .map((part, at) => (at % 2 === 1 ? part : harmless(part)))
    .join("");
}
