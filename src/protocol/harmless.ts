/** Visible symbols of the 32 control characters begin at U+2400, the symbol of NUL. */
const pictures = 0x2400;
const pictureOfDelete = "\u2421";

/**
 * The most combining marks on one letter. No language uses more, and many marks would cover other
 * lines.
 */
const mostMarks = 6;

/** Scripts in which a joiner (U+200C, U+200D) changes the shape of letters. */
const joining =
  "Arab Syrc Mand Nkoo Mong Deva Beng Guru Gujr Orya Taml Telu Knda Mlym Sinh Khmr Mymr Tibt Bali Java Sund Lana Adlm Rohg"
    .split(" ")
    .map((script) => `\\p{scx=${script}}`)
    .join("");

/** Patterns of the invisible characters that emoji and some scripts need. */
const belonging = [
  `[\\u200c\\u200d](?<=[${joining}].)`,
  "\\u200d(?<=\\p{ExtPict}[\\ufe0f\\u{1f3fb}-\\u{1f3ff}]?.)(?=\\p{ExtPict})",
  "[\\ufe0e\\ufe0f](?<=(?![0-9#*])\\p{Emoji}.)",
  "\\ufe0f(?<=[0-9#*].)(?=\\u20e3)",
  "\\u{1f3f4}[\\u{e0061}-\\u{e007a}]{5}\\u{e007f}",
].join("|");
/**
 * Matches a control character, a character that changes direction or ends a line, or another
 * invisible character.
 */
const harmful = "[\\p{Cc}\\p{DI}\\u2028\\u2029\\ufff9-\\ufffb]";
const mark = "[\\p{M}\\u200c\\u200d]";
const tooMany = `${mark}(?<=${mark}{${mostMarks + 1}})${mark}*`;
const pattern = new RegExp(`(${belonging})|(${tooMany})|${harmful}`, "gu");

/**
 * Escapes a foreign text for a terminal, as one line. Visible symbols replace all characters that
 * would move the cursor, change colours, ring the bell, reorder or hide text, or cover other lines.
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
 * Escapes JSON for a terminal, as one line. The characters that `harmless` replaces become JSON
 * escapes, so that a program still reads the original text.
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
