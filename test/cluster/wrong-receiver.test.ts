import { describe, expect, test } from "vitest";
import { raceForReplies } from "./receivers.ts";

describe("[B3] replies after a broker's end", { timeout: 120_000 }, () => {
  test.each([
    ["one broker, SIGKILL", { brokers: 1, curve: false, signal: "SIGKILL" }],
    ["two brokers, SIGTERM, encrypted", { brokers: 2, curve: true, signal: "SIGTERM" }],
    [
      "one broker, SIGSTOP for longer than the heartbeat timeout",
      { brokers: 1, curve: false, signal: "SIGSTOP" },
    ],
  ] as const)(
    "no client receives another client's reply when a broker ends or hangs during log-ins (%s)",
    async (_, variant) => {
      const restarts = 3;
      const logins = 24;
      const result = await raceForReplies({ ...variant, restarts, logins });
      expect(result.wrong).toEqual([]);
      expect(result.inFlight).toBeGreaterThan(logins);
      expect(result.answered).toBeGreaterThan(0.9 * result.newcomers);
    },
  );
});
