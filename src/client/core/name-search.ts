/**
 * Accents and other marks that any script may use. Vowel signs of a single script are not among
 * them.
 */
const accents = /\p{Script=Inherited}/gu;

const ascii = /^[ -~]*$/;

/**
 * @returns the same text for every spelling of a name: composed or decomposed, in upper or lower
 * case
 */
function folded(name: string): string {
  // Most names are ASCII, and need no slow normalization.
  if (ascii.test(name)) return name.toUpperCase();
  return name.normalize("NFC").toUpperCase();
}

/** @returns the folded name without accents */
function withoutAccents(name: string): string {
  if (ascii.test(name)) return name.toUpperCase();
  return folded(name.normalize("NFD").replace(accents, ""));
}

export function sameName(one: string, other: string): boolean {
  return folded(one) === folded(other);
}

/** Whether a name contains the text that a person types to find the name: `jose` finds `José`. */
export function hasInName(name: string, part: string): boolean {
  return withoutAccents(name).includes(withoutAccents(part));
}

/** Whether a name begins with the text that a person types to find the name. */
export function beginsName(name: string, part: string): boolean {
  return withoutAccents(name).startsWith(withoutAccents(part));
}

/**
 * Sorts names that begin with `part`, with or without `#` or `@`, to the front. Among them, names
 * with the accents as typed go first.
 */
export function sortedByMatch(names: readonly string[], part: string): string[] {
  const ranks = new Map(names.map((name) => [name, rankOf(name, part)]));
  return [...names].sort((a, b) => (ranks.get(a) ?? 0) - (ranks.get(b) ?? 0));
}

function rankOf(name: string, part: string): number {
  const forms = [name, name.replace(/^[#@]/, "")];
  if (forms.some((form) => folded(form).startsWith(folded(part)))) return 0;
  return forms.some((form) => beginsName(form, part)) ? 1 : 2;
}
