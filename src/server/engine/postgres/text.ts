/**
 * PostgreSQL stores no U+0000, but ids and messages may have it. So this letter, "substitute", begins
 * an escape for U+0000, and one for itself.
 */
const substitute = "\u001a";

/** Returns the form in which PostgreSQL stores a text that a user has written. */
export function escapeNul(text: string): string {
  return text.replaceAll(substitute, `${substitute}1`).replaceAll("\0", `${substitute}0`);
}

/** Returns the text that `escapeNul` was given. */
export function unescapeNul(text: string): string {
  return text.replaceAll(`${substitute}0`, "\0").replaceAll(`${substitute}1`, substitute);
}

/**
 * Returns a name as a `bytea`, in PostgreSQL's notation. Bytes sort as this program sorts names, by
 * units of UTF-16, which is no order that PostgreSQL has for text.
 */
export function sortKey(name: string): string {
  return `\\x${Buffer.from(name, "utf16le").swap16().toString("hex")}`;
}
