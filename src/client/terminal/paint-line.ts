import { cellsOf, isSimple } from "../core/cells.ts";
import type { Line, Style } from "../core/spans.ts";

/** What each style is in SGR's numbers, with colours and without. */
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

/**
 * A line as a terminal takes it; without colours only bold, dim and reverse are left. Behind a text
 * that terminals see as of different widths, the next is put where it belongs.
 */
export function painted(line: Line, hasColours: boolean): string {
  let column = 1;
  let isSure = true;
  return line
    .map(({ text, style }) => {
      const place = isSure ? "" : `\x1b[${column}G\x1b[K`;
      isSure = isSimple(text);
      column += cellsOf(text);
      const code = codes[style][hasColours ? 0 : 1];
      return place + (code === "" ? text : `\x1b[${code}m${text}\x1b[0m`);
    })
    .join("");
}
