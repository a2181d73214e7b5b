const letter = "[\\p{L}\\p{N}\\p{M}_]";

/** Where a name stands alone in a text: `ana`, `@ana`, but not in `banana`. In UTF-16 units. */
export function mentionsOf(text: string, name: string): readonly { from: number; to: number }[] {
  const escaped = name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  // Its letters are compared one by one, so that none that grows with its case shifts the others.
  const wanted = new RegExp(`(?:@|(?<!${letter}))${escaped}(?!${letter})`, "giu");
  return Array.from(text.matchAll(wanted), ({ index, 0: found }) => ({
    from: index,
    to: index + found.length,
  }));
}
