import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type RetryPolicy, retrying } from "../../src/platform/retry.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** An action that fails `times` times, and records when it is tried. */
function failing(times: number, policy: RetryPolicy) {
  const startMs = performance.now();
  const triedMs: number[] = [];
  const result = retrying(policy, async () => {
    triedMs.push(performance.now() - startMs);
    if (triedMs.length <= times) throw new Error(`try ${triedMs.length}`);
    return "done";
  });
  result.catch(() => {});
  return { result, triedMs };
}

test("an action is tried until it succeeds, with pauses that double up to a limit", async () => {
  const { result, triedMs } = failing(4, { pauseMs: 500, mostPauseMs: 1_500 });
  await vi.advanceTimersByTimeAsync(10_000);
  await expect(result).resolves.toBe("done");
  expect(triedMs).toEqual([0, 500, 1_500, 3_000, 4_500]);
});

test("if all of a limited number of tries fail, the error of the last try is thrown", async () => {
  const { result, triedMs } = failing(9, { pauseMs: 1, mostTries: 3 });
  await vi.advanceTimersByTimeAsync(10);
  await expect(result).rejects.toThrow("try 3");
  expect(triedMs).toHaveLength(3);
});

test("an error for which `canHelp` returns false ends the tries", async () => {
  const canHelp = (error: unknown) => (error as Error).message !== "try 2";
  const { result, triedMs } = failing(9, { pauseMs: 1, canHelp });
  await vi.advanceTimersByTimeAsync(10);
  await expect(result).rejects.toThrow("try 2");
  expect(triedMs).toHaveLength(2);
});

test("an abort during a pause ends the pause, and the action is not tried again", async () => {
  const controller = new AbortController();
  const { result, triedMs } = failing(9, { pauseMs: 60_000, signal: controller.signal });
  await vi.advanceTimersByTimeAsync(1);
  controller.abort();
  await expect(result).rejects.toThrow("try 1");
  expect(triedMs).toHaveLength(1);
});
