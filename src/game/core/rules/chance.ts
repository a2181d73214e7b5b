/** Returns a random integer of at least 0 and less than `end`, which is at most 2 ** 32. */
export type Chance = (end: number) => number;

/**
 * Returns a generator that gives the same numbers for the same seed on every machine (sfc32 of C.
 * Doty-Humphrey's PractRand). A person that knows the seed knows all numbers.
 * @param seed 32 hex digits: the whole state, in four words
 * @throws {Error} if the seed is invalid
 */
export function seededChance(seed: string): Chance {
  if (!/^[0-9a-f]{32}$/i.test(seed)) throw new Error("A seed must have 32 hex digits.");
  let [a = 0, b = 0, c = 0, counter = 0] = Uint32Array.from([0, 8, 16, 24], (at) =>
    Number.parseInt(seed.slice(at, at + 8), 16),
  );
  const next = () => {
    const word = (a + b + counter) >>> 0;
    counter = (counter + 1) >>> 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) >>> 0;
    c = (((c << 21) | (c >>> 11)) + word) >>> 0;
    return word;
  };
  // The first words show the seed, so they are dropped; PractRand drops 15 for a seed of this size.
  for (let round = 0; round < 15; round += 1) next();

  return (end) => {
    // The words above the last multiple of `end` would make the lowest numbers likelier.
    const tooHigh = 2 ** 32 - (2 ** 32 % end);
    let word = next();
    while (word >= tooHigh) word = next();
    return word % end;
  };
}

/**
 * Returns the items in a random order, in which each order is equally likely (the shuffle of R. A.
 * Fisher and F. Yates, in place: R. Durstenfeld, "Algorithm 235: Random permutation", 1964).
 */
export function shuffled<Item>(items: readonly Item[], chance: Chance): Item[] {
  const order = [...items];
  for (let last = order.length - 1; last > 0; last -= 1) {
    const at = chance(last + 1);
    // Both indices are inside the array.
    [order[at], order[last]] = [order[last] as Item, order[at] as Item];
  }
  return order;
}
