import { eastAsianWidth } from "get-east-asian-width";

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });
/** Latin letters, and the characters that the screen itself uses: each takes one cell. */
const latin = " -~\\u00a1-\\u00ac\\u00ae-\\u02af\\u2013-\\u2026\\u203a\\u2500-\\u257f\\u2713";
/** Letters of other scripts; none of them joins the character before it. */
const other =
  "\\u0370-\\u0482\\u048a-\\u052f\\u05d0-\\u05ea\\u0620-\\u064a\\u0671-\\u06d3\\u0e01-\\u0e30" +
  "\\u3001-\\u3029\\u3041-\\u3096\\u30a1-\\u30fc\\u3400-\\u4dbf\\u4e00-\\u9fff\\uac00-\\ud7a3\\uff01-\\uff9d";
const simple = new RegExp(`^[${latin}]*$`);
const alone = `[\\n${latin}${other}]`;
const allAlone = new RegExp(`^${alone}*$`);
/**
 * Matches a run of `alone` characters. Leaves out the run's last character if the next character
 * may join it.
 */
const aloneRun = new RegExp(`(${alone}+(?=${alone}|$))`);
/**
 * The most code points of a grapheme: far more than real characters have. A longer grapheme is
 * split to fit a line.
 */
const mostCodePoints = 16;
/** Matches an emoji with all its parts. */
const picture = new RegExp(
  "(\\p{RI}{2}|[0-9#*]\\ufe0f\\u20e3|(?!\\p{RI})(?:\\p{EPres}|\\p{ExtPict}(?=[\\ufe0f\\u200d]))" +
    "\\ufe0f?\\p{EMod}?(?:\\u200d\\p{ExtPict}\\ufe0f?\\p{EMod}?)*)",
  "gu",
);
const wide = "\u3000";
/**
 * Code points that take no cell of their own: marks, joiners, and the letters after the first in a
 * Korean syllable.
 */
const onLetter = /[\p{Mn}\p{Me}\p{DI}\u1160-\u11ff\ud7b0-\ud7fb]/u;

/**
 * Splits a text into characters as people see them: letters with their marks, emoji with all their
 * parts.
 */
export function graphemes(text: string): string[] {
  // `Intl.Segmenter` is slow, and most characters don't need it.
  return text
    .split(aloneRun)
    .flatMap((run) => (allAlone.test(run) ? run.split("") : clusters(run)));
}

function clusters(text: string): string[] {
  return Array.from(segmenter.segment(text), ({ segment }) => segment).flatMap((segment) => {
    if (segment.length <= mostCodePoints) return segment;
    const codePoints = [...segment];
    const count = Math.ceil(codePoints.length / mostCodePoints);
    return Array.from({ length: count }, (_, at) =>
      codePoints.slice(at * mostCodePoints, (at + 1) * mostCodePoints).join(""),
    );
  });
}

/** Splits a text into emoji and the pieces between them. */
export function splitAtPictures(text: string): string[] {
  return simple.test(text) ? [text] : text.split(picture);
}

/** Whether all terminals agree on the width of the text. */
export function isSimple(text: string): boolean {
  return simple.test(text);
}

/**
 * @returns the number of terminal cells that a text takes. As in most terminals, each code point
 * counts separately, but an emoji with all its parts takes two cells.
 */
export function cellsOf(text: string): number {
  if (simple.test(text)) return text.length;
  let cells = 0;
  for (const character of text.replace(picture, wide)) {
    if (simple.test(character)) cells += 1;
    else if (!onLetter.test(character)) cells += eastAsianWidth(character.codePointAt(0) ?? 0);
  }
  return cells;
}

/** Cuts the text to a width. An ellipsis replaces the rest. */
export function cut(text: string, cells: number): string {
  if (cellsOf(text) <= cells) return text;
  if (cells < 1) return "";
  let taken = "";
  let room = cells - 1;
  for (const grapheme of graphemes(text)) {
    room -= cellsOf(grapheme);
    if (room < 0) break;
    taken += grapheme;
  }
  return `${taken}…`;
}

/** Cuts the text, or pads it with spaces, to an exact width. */
export function pad(text: string, cells: number): string {
  const fitting = cut(text, cells);
  return fitting + " ".repeat(Math.max(0, cells - cellsOf(fitting)));
}

/**
 * Breaks a text into lines, between words where possible.
 * @param first cells of the first line; the others have `rest` cells. A width below 2 counts as 2,
 * because the widest characters take two cells
 */
export function wrap(text: string, first: number, rest: number): string[] {
  const lines: string[] = [];
  let line = "";
  let room = Math.max(2, first);
  const next = () => {
    lines.push(line);
    line = "";
    room = Math.max(2, rest);
  };
  for (const word of text.match(/\s*\S+|\s+$/gu) ?? []) {
    const cells = cellsOf(word);
    if (cells <= room) {
      line += word;
      room -= cells;
      continue;
    }
    const bare = word.trimStart();
    if (line !== "" && cellsOf(bare) <= Math.max(2, rest)) {
      next();
      line = bare;
      room -= cellsOf(bare);
      continue;
    }
    for (const grapheme of graphemes(line === "" ? bare : word)) {
      const width = cellsOf(grapheme);
      if (width > room) next();
      line += grapheme;
      room -= width;
    }
  }
  return [...lines, line];
}
