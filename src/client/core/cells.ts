import stringWidth from "string-width";

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });
/** Latin letters and what the screen itself is made of: one character, one cell. */
const latin = "[ -~\\u00a1-\\u00ac\\u00ae-\\u02af\\u2013-\\u2026\\u203a\\u2500-\\u257f\\u2713]";
const simple = new RegExp(`^${latin}*$`);
/** Simple characters, but for one that something may be joined to. */
const simpleRun = new RegExp(`(${latin}+(?=${latin}|$))`);
/** More marks on one letter than any language has would spill over the lines around. */
const mostCodePoints = 16;

/** What a person sees as one character each: letters with their marks, emoji of several parts. */
export function graphemes(text: string): string[] {
  if (simple.test(text)) return text.split("");
  return Array.from(segmenter.segment(text), ({ segment }) =>
    segment.length <= mostCodePoints ? segment : [...segment].slice(0, mostCodePoints).join(""),
  );
}

/** Cells of a terminal that a text takes. */
export function cellsOf(text: string): number {
  if (simple.test(text)) return text.length;
  // Most of a text with an emoji in it is simple too, and the general way is slow.
  return text
    .split(simpleRun)
    .reduce((cells, run) => cells + (simple.test(run) ? run.length : stringWidth(run)), 0);
}

/** As much of the text as fits, with an ellipsis if that is not all. */
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

/** Cut or filled with spaces to just so many cells. */
export function pad(text: string, cells: number): string {
  const fitting = cut(text, cells);
  return fitting + " ".repeat(Math.max(0, cells - cellsOf(fitting)));
}

/**
 * Lines of a text, broken between words where there are any.
 * @param first cells of the first line, the others have `rest`; at least 2, the widest character
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
