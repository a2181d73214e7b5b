/** Where a name stands alone in a text: `ana`, `@ana`, but not in `banana`. In UTF-16 units. */
export function mentionsOf(text: string, name: string): readonly { from: number; to: number }[] {
  const found: { from: number; to: number }[] = [];
  const [all, wanted] = [text.toLowerCase(), name.toLowerCase()];
  // Letters that change their length with their case would shift what follows.
  if (all.length !== text.length || wanted === "") return found;
  for (let at = all.indexOf(wanted); at >= 0; at = all.indexOf(wanted, at + wanted.length)) {
    const to = at + wanted.length;
    if (isLetter(all.slice(0, at).at(-1)) || isLetter(all[to])) continue;
    found.push({ from: all[at - 1] === "@" ? at - 1 : at, to });
  }
  return found;
}

function isLetter(character: string | undefined): boolean {
  return character !== undefined && /[\p{L}\p{N}_]/u.test(character);
}
