import { describe, expect, test } from "vitest";
import { findsMutations } from "./finds-mutations.ts";
import { runMatches } from "./matches/run-matches.ts";
import type { Outcome } from "./run.ts";

/** The seeds of the test run; `npm run sim -- --matches` runs any other seeds. */
const seeds = Array.from({ length: 80 }, (_, at) => at + 1);

const outcomes = new Map<number, Outcome>();

function outcomeOf(seed: number): Outcome {
  const outcome = outcomes.get(seed) ?? runMatches(seed);
  outcomes.set(seed, outcome);
  return outcome;
}

describe("the simulation of matches", () => {
  test.each(seeds)("the simulation of matches of seed %i keeps all promises", (seed) => {
    expect(outcomeOf(seed).broken).toBeUndefined();
  });

  test("together these seeds have each kind of thing that the checks are about", () => {
    const counts = seeds.map((seed) => outcomeOf(seed).counts ?? {});
    const kinds = Object.keys(counts[0] ?? {});
    const missing = kinds.filter((kind) => counts.every((count) => count[kind] === 0));
    expect(missing).toEqual([]);
    expect(kinds).toContain("refused forgeries");
  });

  test("[T6] the same seed of the simulation of matches gives the same run, to the letter", () => {
    expect(runMatches(12).story).toEqual(runMatches(12).story);
  });
});

findsMutations("matches");
