import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Connection } from "../../src/client/connection.ts";
import { Readiness } from "../../src/gateway/readiness.ts";
import { pause } from "../../src/platform/clock.ts";
import { parseStatus } from "../../src/protocol/parse-status.ts";

beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => vi.useRealTimers());

const names = [0, 1, 2].map((index) => `server_0000000${index}`);
const view = { number: 1, members: names };

/** A connection to servers that were heard 0.4 s ago, and whose answers take so long. */
function slowConnection(answerMs: () => number): Connection {
  const status = async () => {
    await pause(answerMs());
    const members = names.map((name) => ({ name, member: true, live: true, silentMs: 400 }));
    return parseStatus({ members, view });
  };
  return { session: () => ({ status }), close: () => {} } as unknown as Connection;
}

/** Looks each 5 ms. @returns how long the gateway was unready, in milliseconds */
async function unreadyMs(readiness: Readiness, forMs: number): Promise<number> {
  let found = 0;
  for (let ms = 0; ms < forMs; ms += 5) {
    await vi.advanceTimersByTimeAsync(5);
    if (readiness.reason !== undefined) found += 5;
  }
  return found;
}

test.each([5, 300, 450])(
  "[G5] a gateway whose servers answer after %i ms stays ready",
  async (answerMs) => {
    const told: unknown[] = [];
    using readiness = new Readiness(
      () => slowConnection(() => answerMs),
      (reason) => told.push(reason),
    );
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await unreadyMs(readiness, 20_000)).toBe(0);
    expect(told).toEqual([undefined]);
  },
);

test("[G5] [G22] a gateway whose servers pause for a moment refuses requests, but does not tell its clients", async () => {
  let answerMs = 5;
  const told: unknown[] = [];
  using readiness = new Readiness(
    () => slowConnection(() => answerMs),
    (reason) => told.push(reason),
  );
  await vi.advanceTimersByTimeAsync(1_000);
  answerMs = 1e9;
  while (readiness.reason === undefined) await vi.advanceTimersByTimeAsync(5);
  answerMs = 5;
  expect(await unreadyMs(readiness, 2_000)).toBeGreaterThan(0);
  expect(told).toEqual([undefined]);
  answerMs = 1e9;
  await unreadyMs(readiness, 4_000);
  expect(told).toEqual([undefined, "no server answers"]);
});
