import { describe, expect, test } from "vitest";
import type { Claim, ClaimAnswer } from "../../../src/trials/chaos/core/claims.ts";
import {
  type Blow,
  type Failover,
  failoversOf,
  type Term,
} from "../../../src/trials/chaos/core/failovers.ts";

const [one, two] = ["server 1", "server 2"];

function term(party: string, number: number, atMs: number): Term {
  return { party, epoch: { view: 3, term: number }, atMs };
}

/** @param from and, if it ended, until when */
function blow(party: string, kind: string, [fromMs, toMs]: [number, number?]): Blow {
  return { party, kind, fromMs, toMs };
}

function claim(beganMs: number, atMs: number, answer: ClaimAnswer["answer"] = "won"): Claim {
  const answers = [{ atMs, answer }];
  return { name: "rosa", client: "eva", id: "1", beganMs, answers, isGivenUp: false };
}

const terms = [term(one, 1, -500), term(two, 2, 3_400)];

function only(blows: readonly Blow[], claims: readonly Claim[] = []): Failover {
  const [failover, ...more] = failoversOf(terms, blows, claims);
  expect(more).toEqual([]);
  if (failover === undefined) throw new Error("there is one");
  return failover;
}

describe("failovers", () => {
  test("who was hit, who took office, when, and the next claim served", () => {
    const claims = [claim(1_900, 4_000), claim(2_100, 3_700), claim(2_200, 3_500, "taken")];
    expect(only([blow(one, "kill", [2_000, 3_000])], claims)).toEqual({
      fault: "kill",
      coordinator: one,
      epoch: { view: 3, term: 1 },
      atMs: 2_000,
      successor: two,
      newEpoch: { view: 3, term: 2 },
      officeAfterMs: 1_400,
      servedAfterMs: 1_700,
      isAlone: true,
    });
  });

  test("the same process again is one too, whatever the order of the logs", () => {
    const again = [term(one, 2, 3_400), term(one, 1, 0)];
    const [failover] = failoversOf(again, [blow(one, "stop", [1_000, 3_000])], []);
    expect(failover).toMatchObject({ coordinator: one, successor: one, servedAfterMs: undefined });
  });

  test("a change of office without a fault at the coordinator is none", () => {
    expect(failoversOf(terms, [], [])).toEqual([]);
    expect(failoversOf(terms, [blow(two, "kill", [2_000])], [])).toEqual([]);
    expect(failoversOf(terms, [blow(one, "slow", [2_000, 5_000])], [])).toEqual([]);
    expect(failoversOf(terms, [blow(one, "kill", [4_000])], [])).toEqual([]);
  });

  test("what the coordinator survived in office is not the cause", () => {
    const blows = [blow(one, "stop", [100, 600]), blow(one, "cut", [1_500, 5_000])];
    expect(only(blows)).toMatchObject({ fault: "cut", atMs: 1_500 });
    expect(only([...blows, blow(one, "kill", [2_000])])).toMatchObject({ fault: "cut" });
    expect(only(blows.slice(0, 1))).toMatchObject({ fault: "stop", atMs: 100 });
  });

  test("nor is what was over, and claims were served again, before the next took office", () => {
    const stop = blow(one, "stop", [500, 2_000]);
    const served = [claim(2_100, 2_300), claim(3_500, 3_600)];
    expect(failoversOf(terms, [stop], served)).toEqual([]);
    const cut = blow(one, "cut", [2_500, 4_000]);
    expect(only([stop, cut], served)).toMatchObject({ atMs: 2_500, servedAfterMs: 1_100 });
    // Cut off from some only, it may serve others until it is missed.
    expect(only([blow(one, "cut", [500, 4_000])], served)).toMatchObject({ servedAfterMs: 1_800 });
  });

  test("alone: nothing else is broken until the claim is served", () => {
    const kill = blow(one, "kill", [2_000, 3_000]);
    const served = [claim(2_100, 3_700)];
    const isAlone = (other: Blow) => only([kill, other], served).isAlone;
    expect(isAlone(blow("broker 1", "stop", [1_000, 2_500]))).toBe(false);
    expect(isAlone(blow(two, "kill", [3_600]))).toBe(false);
    expect(isAlone(blow(two, "kill", [500, 1_900]))).toBe(true);
    expect(isAlone(blow(two, "slow", [3_800, 5_000]))).toBe(true);
  });
});
