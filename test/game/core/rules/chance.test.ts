import { describe, expect, test } from "vitest";
import { seededChance, shuffled } from "../../../../src/game/core/rules/chance.ts";
import { seedOf } from "../../../support/random-match.ts";

const wordEnd = 2 ** 32;

/** Sfc32 as its author defines it, in integers without a bound, which need no care for signs. */
function* definedWords(seed: string): Generator<number, never> {
  const word = (value: bigint) => BigInt.asUintN(32, value);
  let [a = 0n, b = 0n, c = 0n, counter = 0n] = [0, 8, 16, 24].map((at) =>
    BigInt(`0x${seed.slice(at, at + 8)}`),
  );
  while (true) {
    const next = word(a + b + counter);
    counter = word(counter + 1n);
    [a, b] = [b ^ (b >> 9n), word(c + (c << 3n))];
    c = word(word((c << 21n) | (c >> 11n)) + next);
    yield Number(next);
  }
}

describe("the seeded generator", () => {
  test("it gives the words of sfc32 after the first 15", () => {
    for (const seed of ["0123456789abcdeffedcba9876543210", "f".repeat(32), seedOf(1)]) {
      const chance = seededChance(seed);
      const words = definedWords(seed);
      for (let dropped = 0; dropped < 15; dropped += 1) words.next();
      for (let at = 0; at < 100; at += 1) expect(chance(wordEnd)).toBe(words.next().value);
    }
  });

  test("it draws each of three numbers about equally often", () => {
    const chance = seededChance(seedOf(2));
    const counts = [0, 0, 0];
    for (let draw = 0; draw < 30_000; draw += 1) {
      const drawn = chance(3);
      counts[drawn] = (counts[drawn] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(400);
  });

  test("it refuses a seed that does not have 32 hex digits", () => {
    for (const seed of ["", "0".repeat(31), "0".repeat(33), "g".repeat(32)]) {
      expect(() => seededChance(seed)).toThrow("32 hex digits");
    }
  });
});

describe("the shuffle", () => {
  test("it gives each order of three items about equally often, and leaves the items as they were", () => {
    const items = ["a", "b", "c"] as const;
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 6_000; seed += 1) {
      const order = shuffled(items, seededChance(seedOf(seed))).join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect([...counts.keys()].sort()).toEqual(["abc", "acb", "bac", "bca", "cab", "cba"]);
    for (const count of counts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(150);
    expect(items).toEqual(["a", "b", "c"]);
  });

  test("an empty list stays empty", () => {
    expect(shuffled([], seededChance(seedOf(3)))).toEqual([]);
  });
});
