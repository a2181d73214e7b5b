import { cellsOf, isSimple, splitAtPictures } from "../core/cells.ts";
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
 * A line as a terminal takes it; without colours only bold, dim and reverse are left. Behind an
 * emoji, or a text in doubt at the end of a span, the next is put where it belongs: terminals don't
 * agree on widths, and the cursor has to stand where it is said to.
 */
export function painted(line: Line, hasColours: boolean): string {
  let column = 1;
  let isSure = true;
  return line
    .map(({ text, style }) => {
      const placed = splitAtPictures(text).map((piece) => {
        const cells = cellsOf(piece);
        const place = isSure || cells === 0 ? "" : `\x1b[${column}G\x1b[K`;
        isSure = cells === 0 ? isSure : isSimple(piece);
        column += cells;
        return place + piece;
      });
      const code = codes[style][hasColours ? 0 : 1];
      return code === "" ? placed.join("") : `\x1b[${code}m${placed.join("")}\x1b[0m`;
    })
    .join("");
}
