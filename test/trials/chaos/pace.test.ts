import { expect, test } from "vitest";
import type { Write } from "../../../src/trials/chaos/core/checker.ts";
import { paceOf } from "../../../src/trials/chaos/core/pace.ts";

function answered(sentMs: number, atMs: number): Write {
  const acknowledged = { atMs, clock: 1 };
  return { message: `${sentMs}`, client: "ana", conversations: ["#geral"], sentMs, acknowledged };
}

const open: Write = { message: "open", client: "ana", conversations: ["#geral"], sentMs: 10 };

test("the pace of a chaos run counts each write in the half second in which it was acknowledged", () => {
  const { spans } = paceOf([answered(0, 100), answered(0, 400), answered(300, 900), open], 1_500);
  expect(spans.map(({ fromMs, acknowledged }) => [fromMs, acknowledged])).toEqual([
    [0, 2],
    [500, 1],
    [1_000, 0],
  ]);
  expect(spans[0]?.latency).toEqual({ p50Ms: 400, p99Ms: 400, maxMs: 400 });
  expect(spans[2]?.latency).toBeUndefined();
});

test("a chaos run's median, 99th percentile and maximum of latency cover all acknowledged writes", () => {
  const writes = Array.from({ length: 1_000 }, (_, ms) => answered(0, ms));
  expect(paceOf(writes, 1_000).latency).toEqual({ p50Ms: 500, p99Ms: 990, maxMs: 999 });
});

test("a chaos run's longest pause can be before, between or after the acknowledged writes", () => {
  expect(paceOf([answered(0, 700), answered(0, 1_000)], 1_200).longestPauseMs).toBe(700);
  expect(paceOf([answered(0, 100), answered(0, 1_000)], 1_200).longestPauseMs).toBe(900);
  expect(paceOf([answered(0, 100), answered(0, 200)], 1_200).longestPauseMs).toBe(1_000);
});

test("a chaos run without an acknowledged write counts as one long pause", () => {
  const pace = paceOf([open], 2_000);
  expect(pace.longestPauseMs).toBe(2_000);
  expect(pace.gaps).toEqual([{ fromMs: 0, toMs: 2_000 }]);
  expect(pace.latency).toBeUndefined();
});

test("the pace of a chaos run lists a pause as a gap if it lasts at least a second", () => {
  const { gaps } = paceOf([answered(0, 900), answered(0, 2_000), answered(0, 2_500)], 3_400);
  expect(gaps).toEqual([{ fromMs: 900, toMs: 2_000 }]);
});
