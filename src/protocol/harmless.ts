/** The symbols of the first 32 control characters begin at U+2400, the symbol of NUL. */
const pictures = 0x2400;
const pictureOfDelete = "\u2421";

/** The most marks of a letter: no language has more, and many would cover the lines around. */
const mostMarks = 6;

/** Scripts whose letters change their shape by the two joiners. */
const joining =
  "Arab Syrc Mand Nkoo Mong Deva Beng Guru Gujr Orya Taml Telu Knda Mlym Sinh Khmr Mymr Tibt Bali Java Sund Lana Adlm Rohg"
    .split(" ")
    .map((script) => `\\p{scx=${script}}`)
    .join("");

/** Invisible characters that emoji need, and some scripts. */
const belonging = [
  `[\\u200c\\u200d](?<=[${joining}].)`,
  "\\u200d(?<=\\p{ExtPict}[\\ufe0f\\u{1f3fb}-\\u{1f3ff}]?.)(?=\\p{ExtPict})",
  "[\\ufe0e\\ufe0f](?<=(?![0-9#*])\\p{Emoji}.)",
  "\\ufe0f(?<=[0-9#*].)(?=\\u20e3)",
  "\\u{1f3f4}[\\u{e0061}-\\u{e007a}]{5}\\u{e007f}",
].join("|");
/** Controls, characters that change direction or lines, and other invisible ones. */
const harmful = "[\\p{Cc}\\p{DI}\\u2028\\u2029\\ufff9-\\ufffb]";
const mark = "[\\p{M}\\u200c\\u200d]";
const tooMany = `${mark}(?<=${mark}{${mostMarks + 1}})${mark}*`;
const pattern = new RegExp(`(${belonging})|(${tooMany})|${harmful}`, "gu");

/**
 * Makes a text of others safe for a terminal, as one line: characters that would move the cursor,
 * colour, ring, reorder, hide or spill over other lines become visible symbols.
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
 * Makes JSON safe for a terminal, as one line: the same characters are escaped, so that a program
 * still reads the original text.
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
