/** Accents and other marks that any script may use; vowel signs that belong to one script stay. */
const accents = /\p{Script=Inherited}/gu;

const ascii = /^[ -~]*$/;

/** The same for every way to write one name: composed or decomposed, in capitals or not. */
function folded(name: string): string {
  // The fast way for most names: there may be many.
  if (ascii.test(name)) return name.toUpperCase();
  return name.normalize("NFC").toUpperCase();
}

/** As `folded`, and without accents. */
function withoutAccents(name: string): string {
  if (ascii.test(name)) return name.toUpperCase();
  return folded(name.normalize("NFD").replace(accents, ""));
}

export function sameName(one: string, other: string): boolean {
  return folded(one) === folded(other);
}

/** Whether a name contains what a person types to find it: `jose` finds `José`. */
export function hasInName(name: string, part: string): boolean {
  return withoutAccents(name).includes(withoutAccents(part));
}

/** Whether a name begins with what a person types to find it. */
export function beginsName(name: string, part: string): boolean {
  return withoutAccents(name).startsWith(withoutAccents(part));
}

/**
 * Puts names first that begin with the part, with `#` or `@` in front or not; among them, those
 * that have the accents as typed come before the others.
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
