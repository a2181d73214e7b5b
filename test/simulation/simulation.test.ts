import { describe, expect, test } from "vitest";
import { findsMutations } from "./finds-mutations.ts";
import { run } from "./run.ts";

/** The seeds of the test run; `npm run sim` runs any other seeds. */
const seeds = Array.from({ length: 40 }, (_, at) => at + 1);

describe("the simulation", () => {
  test.each(seeds)(
    "[R1–R9] [J1] [J3] [J5] the simulation of seed %i keeps all promises",
    (seed) => {
      expect(run(seed).broken).toBeUndefined();
    },
  );

  test("[T6] the same seed of the simulation gives the same run, to the letter", () => {
    expect(run(12).story).toEqual(run(12).story);
  });
});

/** Seeds that once broke a promise; docs/track-record.md tells what was wrong. */
describe("seeds of the simulation that once broke a promise", () => {
  test.each([
    [283, "[R8] no server waits for events that only a permanently lost member had"],
    [
      551,
      "[R7] a restarted server's time does not run backwards, even if the state no longer has its last event",
    ],
    [
      202_877,
      "[J1] a server saves a fetched state as part of its own state before it fetches another state",
    ],
    [1371, "[J5] the reference counts no report that a server made before its disk rotted"],
  ])("the simulation of seed %i keeps a promise that this simulation once broke: %s", (seed) => {
    expect(run(seed).broken).toBeUndefined();
  });
});

findsMutations("cluster");
