import { describe, expect, test } from "vitest";
import {
  type Failover,
  failoversOf,
  type NodeFault,
  type Term,
} from "../../../src/trials/chaos/core/failovers.ts";
import type { Claim, ClaimAnswer } from "../../../src/trials/chaos/core/names.ts";

const [one, two] = ["server 1", "server 2"];

function term(node: string, number: number, atMs: number): Term {
  return { node, epoch: { view: 3, term: number }, atMs };
}

function faultOf(node: string, kind: string, [fromMs, toMs]: [number, number?]): NodeFault {
  return { node, fault: { kind }, fromMs, toMs };
}

function claim(beganMs: number, atMs: number, answer: ClaimAnswer["answer"] = "won"): Claim {
  const answers = [{ atMs, answer }];
  return { name: "rosa", client: "eva", id: "1", beganMs, answers, isGivenUp: false };
}

const terms = [term(one, 1, -500), term(two, 2, 3_400)];

function only(faults: readonly NodeFault[], claims: readonly Claim[] = []): Failover {
  const [failover, ...more] = failoversOf(terms, faults, claims);
  expect(more).toEqual([]);
  if (failover === undefined) throw new Error("there is one");
  return failover;
}

describe("failovers", () => {
  test("a failover names both coordinators and epochs, and the time until the next term and until the next won claim", () => {
    const claims = [claim(1_900, 4_000), claim(2_100, 3_700), claim(2_200, 3_500, "taken")];
    expect(only([faultOf(one, "kill", [2_000, 3_000])], claims)).toEqual({
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

  test("a failed coordinator can be its own successor, and the terms of coordinators can be listed in any order", () => {
    const again = [term(one, 2, 3_400), term(one, 1, 0)];
    const [failover] = failoversOf(again, [faultOf(one, "stop", [1_000, 3_000])], []);
    expect(failover).toMatchObject({ coordinator: one, successor: one, servedAfterMs: undefined });
  });

  test("a new term without an earlier kill, stop or cut of the coordinator is no failover", () => {
    expect(failoversOf(terms, [], [])).toEqual([]);
    expect(failoversOf(terms, [faultOf(two, "kill", [2_000])], [])).toEqual([]);
    expect(failoversOf(terms, [faultOf(one, "slow", [2_000, 5_000])], [])).toEqual([]);
    expect(failoversOf(terms, [faultOf(one, "kill", [4_000])], [])).toEqual([]);
  });

  test("a failover's cause is the coordinator's first fault that kills or lasts at least 1.2 s, or else the coordinator's last fault", () => {
    const faults = [faultOf(one, "stop", [100, 600]), faultOf(one, "cut", [1_500, 5_000])];
    expect(only(faults)).toMatchObject({ fault: "cut", atMs: 1_500 });
    expect(only([...faults, faultOf(one, "kill", [2_000])])).toMatchObject({ fault: "cut" });
    expect(only(faults.slice(0, 1))).toMatchObject({ fault: "stop", atMs: 100 });
  });

  test("a fault causes no failover if claims were served between the end of the fault and the next term", () => {
    const stop = faultOf(one, "stop", [500, 2_000]);
    const served = [claim(2_100, 2_300), claim(3_500, 3_600)];
    expect(failoversOf(terms, [stop], served)).toEqual([]);
    const cut = faultOf(one, "cut", [2_500, 4_000]);
    expect(only([stop, cut], served)).toMatchObject({ atMs: 2_500, servedAfterMs: 1_100 });
    // A claim served during a cut does not rule the cut out, because the cut leaves some
    // connections.
    expect(only([faultOf(one, "cut", [500, 4_000])], served)).toMatchObject({
      servedAfterMs: 1_800,
    });
  });

  test("a failover is marked as alone if no other fault is active between the failover's fault and the next served claim", () => {
    const kill = faultOf(one, "kill", [2_000, 3_000]);
    const served = [claim(2_100, 3_700)];
    const isAlone = (other: NodeFault) => only([kill, other], served).isAlone;
    expect(isAlone(faultOf("broker 1", "stop", [1_000, 2_500]))).toBe(false);
    expect(isAlone(faultOf(two, "kill", [3_600]))).toBe(false);
    expect(isAlone(faultOf(two, "kill", [500, 1_900]))).toBe(true);
    expect(isAlone(faultOf(two, "slow", [3_800, 5_000]))).toBe(true);
  });
});
