import type { TerminalLook } from "../../platform/terminal-look.ts";
import { cellsOf, isSimple, splitAtPictures } from "../core/cells.ts";
import { hashOf } from "../core/name-colour.ts";
import type { Line, Style } from "../core/spans.ts";

/** The SGR numbers of each style, with colours and without. */
const codes: Readonly<Record<Style, readonly [colour: string, plain: string]>> = {
  plain: ["", ""],
  dim: ["2", "2"],
  bold: ["1", "1"],
  good: ["32", ""],
  warning: ["33", "1"],
  bad: ["31", "1"],
  mention: ["1;33", "1;7"],
  name0: ["36", ""],
  name1: ["32", ""],
  name2: ["35", ""],
  name3: ["34", ""],
  name4: ["96", ""],
  name5: ["92", ""],
  name6: ["95", ""],
  name7: ["94", ""],
};

/** Most bytes of an address in a link; terminals ignore longer ones (VTE, iTerm2). */
const mostLinkBytes = 2_083;
const endOfLink = "\x1b]8;;\x1b\\";

/**
 * @returns a line with terminal sequences; without colours only bold, dim and reverse. Terminals
 * disagree on the widths of emoji and rare characters, so a sequence sets the column after each of
 * them.
 */
export function painted(line: Line, { hasColours, hasLinks }: TerminalLook): string {
  let column = 1;
  let isSure = true;
  return line
    .map(({ text, style, link }) => {
      const [begin, end] = hasLinks && link !== undefined ? aroundLink(link) : ["", ""];
      const placed = splitAtPictures(text).map((piece) => {
        const cells = cellsOf(piece);
        const place = isSure || cells === 0 ? "" : `\x1b[${column}G\x1b[K`;
        isSure = cells === 0 ? isSure : isSimple(piece);
        column += cells;
        return place + begin + piece + end;
      });
      const code = codes[style][hasColours ? 0 : 1];
      return code === "" ? placed.join("") : `\x1b[${code}m${placed.join("")}\x1b[0m`;
    })
    .join("");
}

/**
 * @returns the same sequences for all pieces of a link, so that a terminal treats them as one link
 */
function aroundLink(url: string): readonly [begin: string, end: string] {
  // An unencoded control character would end the sequence.
  const uri = url.replace(/[^!-~]/gu, (character) => encodeURIComponent(character.toWellFormed()));
  if (uri.length > mostLinkBytes) return ["", ""];
  return [`\x1b]8;id=${hashOf(url).toString(36)};${uri}\x1b\\`, endOfLink];
}
