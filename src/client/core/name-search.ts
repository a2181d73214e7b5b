/** Accents and other marks that stand on letters of any script; the vowels of some are none. */
const accents = /\p{Script=Inherited}/gu;

const simple = /^[ -~]*$/;

/** The same for all ways to write one name: with letters composed or not, large or small. */
function folded(name: string): string {
  // Most names need no more, and there may be many.
  if (simple.test(name)) return name.toUpperCase();
  return name.normalize("NFC").toUpperCase();
}

/** The letters without their accents. */
function plain(name: string): string {
  if (simple.test(name)) return name.toUpperCase();
  return folded(name.normalize("NFD").replace(accents, ""));
}

export function sameName(one: string, other: string): boolean {
  return folded(one) === folded(other);
}

/** Whether a part of the name is what a person types to find it: `jose` finds `José`. */
export function hasInName(name: string, part: string): boolean {
  return plain(name).includes(plain(part));
}

/** The same at the beginning. */
export function beginsName(name: string, part: string): boolean {
  return plain(name).startsWith(plain(part));
}

/**
 * Names that begin with the part come first, whether `#` or `@` was typed or not, and those with its
 * very accents before all.
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
