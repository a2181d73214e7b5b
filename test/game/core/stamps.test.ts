import { describe, expect, test } from "vitest";
import { firstOf, merged, precedes, type Stamp } from "../../../src/game/core/stamps.ts";
import type { GameName } from "../../../src/protocol/matches.ts";

const [a, b, c] = ["game_a", "game_b", "game_c"] as GameName[] as [GameName, GameName, GameName];

function stamp(counts: { a?: number; b?: number; c?: number }): Stamp {
  return Object.fromEntries(Object.entries(counts).map(([name, n]) => [`game_${name}`, n]));
}

describe("vector clocks", () => {
  test("the clock after a receipt has for each server the higher number", () => {
    expect(merged(stamp({ a: 1, b: 5 }), stamp({ a: 3, c: 2 }))).toEqual(
      stamp({ a: 3, b: 5, c: 2 }),
    );
  });

  test("a clock precedes another one if the other has counted all of it", () => {
    expect(precedes(stamp({ a: 1 }), stamp({ a: 2, b: 1 }))).toBe(true);
    expect(precedes(stamp({ a: 2, b: 1 }), stamp({ a: 1 }))).toBe(false);
    expect(precedes({}, stamp({ a: 1 }))).toBe(true);
  });

  test("clocks of operations that know nothing of each other precede neither way", () => {
    expect(precedes(stamp({ a: 1 }), stamp({ b: 1 }))).toBe(false);
    expect(precedes(stamp({ b: 1 }), stamp({ a: 1 }))).toBe(false);
  });
});

describe("the first of several operations", () => {
  test("is the one that the others knew of, whatever the order of arrival and of the names", () => {
    const cause = { origin: c, stamp: stamp({ c: 1 }) };
    const effect = { origin: a, stamp: stamp({ a: 1, c: 1 }) };
    expect(firstOf([effect, cause])).toBe(1);
    expect(firstOf([cause, effect])).toBe(0);
  });

  test("is that of the server with the lower name, if neither knew of the other", () => {
    const one = { origin: b, stamp: stamp({ b: 1 }) };
    const other = { origin: a, stamp: stamp({ a: 7 }) };
    expect(firstOf([one, other])).toBe(1);
    expect(firstOf([other, one])).toBe(0);
  });

  test("is the older one of two operations of one server", () => {
    const older = { origin: a, stamp: stamp({ a: 1 }) };
    const newer = { origin: a, stamp: stamp({ a: 2 }) };
    expect(firstOf([newer, older])).toBe(1);
  });

  test("follows a chain of operations over three servers", () => {
    const first = { origin: c, stamp: stamp({ c: 1 }) };
    const second = { origin: b, stamp: stamp({ b: 1, c: 1 }) };
    const third = { origin: a, stamp: stamp({ a: 1, b: 1, c: 1 }) };
    const queue = [third, second, first];
    const order: unknown[] = [];
    while (queue.length > 0) order.push(...queue.splice(firstOf(queue), 1));
    expect(order).toEqual([first, second, third]);
  });

  test("of none does not exist", () => {
    expect(firstOf([])).toBe(-1);
  });
});
