/** Symbols of the first 32 control characters begin here: U+2400 is that of NUL. */
const pictures = 0x2400;
const pictureOfDelete = "\u2421";

/** More marks on one letter than any language has would cover the lines around. */
const mostMarks = 6;

/** Whose letters change their shape by the two joiners. */
const joining =
  "Arab Syrc Mand Nkoo Mong Deva Beng Guru Gujr Orya Taml Telu Knda Mlym Sinh Khmr Mymr Tibt"
    .split(" ")
    .map((script) => `\\p{scx=${script}}`)
    .join("");

/** What is invisible and yet belongs there: in emoji and in scripts that can't be written without. */
const belonging = [
  `[\\u200c\\u200d](?<=[${joining}].)`,
  "\\u200d(?<=\\p{ExtPict}[\\ufe0f\\u{1f3fb}-\\u{1f3ff}]?.)(?=\\p{ExtPict})",
  "[\\ufe0e\\ufe0f](?<=(?![0-9#*])\\p{Emoji}.)",
  "\\ufe0f(?<=[0-9#*].)(?=\\u20e3)",
  "\\u{1f3f4}[\\u{e0061}-\\u{e007a}]{5}\\u{e007f}",
].join("|");
/** Controls, what changes direction or lines, and all that would be there unseen. */
const harmful = "[\\p{Cc}\\p{DI}\\u2028\\u2029\\ufff9-\\ufffb]";
const mark = "[\\p{M}\\u200c\\u200d]";
const tooMany = `${mark}(?<=${mark}{${mostMarks + 1}})${mark}*`;
const pattern = new RegExp(`(${belonging})|(${tooMany})|${harmful}`, "gu");

/**
 * Another's text, fit for a terminal: what would move the cursor, colour, ring, reorder, hide or
 * spill over other lines becomes a visible symbol. It stays on one line.
 */
export function harmless(text: string): string {
  return text.replace(pattern, (found, belongs?: string, marks?: string) => {
    if (belongs !== undefined) return found;
    if (marks !== undefined) return `<+${[...marks].length}>`;
    const code = found.codePointAt(0) ?? 0;
    if (code < 0x20) return String.fromCharCode(pictures + code);
    if (code === 0x7f) return pictureOfDelete;
    return `<U+${code.toString(16).toUpperCase().padStart(4, "0")}>`;
  });
}

/**
 * A value in JSON, as one line for a terminal: what would do harm there is escaped, so that a program
 * still reads the true text.
 */
export function harmlessJson(json: string): string {
  return json.replace(pattern, (found, belongs?: string) =>
    belongs === undefined ? escaped(found) : found,
  );
}

function escaped(text: string): string {
  const units = Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
}
