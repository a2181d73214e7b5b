/** Symbols of the first 32 control characters begin here: U+2400 is that of NUL. */
const pictures = 0x2400;
const pictureOfDelete = "\u2421";

/** Controls of C0 and C1, and what changes the direction or the lines of the text around it. */
const harmful = /[\p{Cc}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/**
 * Another's text, fit for a terminal: what would move the cursor, colour, ring or reorder becomes
 * a visible symbol. It stays on one line.
 */
export function harmless(text: string): string {
  return text.replace(harmful, (character) => {
    const code = character.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(pictures + code);
    if (code === 0x7f) return pictureOfDelete;
    return `<U+${code.toString(16).toUpperCase().padStart(4, "0")}>`;
  });
}
