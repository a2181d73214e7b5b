const nameColours = 8;

/** @returns the number of a name's colour, which depends only on the name */
export function nameColour(name: string): number {
  return hashOf(name) % nameColours;
}

/** @returns the FNV-1a hash of the text's code points */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const character of text) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  }
  return hash >>> 0;
}
