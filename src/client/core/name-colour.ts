const nameColours = 8;

/** The same colour for a name at every screen and every start (FNV-1a). */
export function nameColour(name: string): number {
  let hash = 0x811c9dc5;
  for (const character of name) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  }
  return (hash >>> 0) % nameColours;
}
