import { describe, expect, test } from "vitest";
import { raceForReplies } from "./receivers.ts";

describe("[B3] no reply reaches a client that did not ask for it", { timeout: 120_000 }, () => {
  test.each([
    ["one broker, SIGKILL", { brokers: 1, curve: false, signal: "SIGKILL" }],
    ["two brokers, SIGTERM, encrypted", { brokers: 2, curve: true, signal: "SIGTERM" }],
    [
      "one broker, SIGSTOP for longer than its heartbeats",
      { brokers: 1, curve: false, signal: "SIGSTOP" },
    ],
  ] as const)(
    "while log-ins are in flight and their broker ends or hangs: %s",
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
