/**
 * Characters that move a terminal's cursor, name its window, colour, reorder, hide, or break a
 * line.
 */
export const signs = [
  "\x1b",
  "\x07",
  "\x08",
  "\x7f",
  "\r",
  "\n",
  "\u009b",
  "\u202e",
  "\u2066",
  "\u2028",
  "\u2029",
  "\u200b",
  "\ufeff",
];

export const harmful = `\x1b]0;owned\x07\x1b[2J\x1b[31m\u009b31m\u202eabc\u2066\u200b\r\n[forged] line\x08\x7f\u2028x`;
