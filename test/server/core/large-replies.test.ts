import { describe, expect, test } from "vitest";
import { limits } from "../../../src/protocol/limits.ts";
import { servingCluster } from "../../support/core-cluster.ts";

describe("replies have a bound", () => {
  test("[W2] [W7] an array can't ask for more than a frame holds; what fits is answered", () => {
    const cluster = servingCluster(1);
    const server = cluster.server(1);
    const users = Array.from({ length: 1_000 }, (_, number) => `${"u".repeat(58)}${number}`);
    cluster.askPayload(
      server,
      users.map((user) => ({ service: "login", data: { user } })),
    );
    cluster.runUntilEqual();
    const question = cluster.askPayload(
      server,
      Array.from({ length: 1_000 }, () => ({ service: "users", data: {} })),
    );
    const replies = question.replies ?? [];
    expect(replies).toHaveLength(1_000);
    const served = replies.filter(({ data }) => data.status === "OK");
    const whole = served.filter(({ data }) => data.next === undefined);
    expect(served).toHaveLength(1_000);
    expect(whole.length).toBeGreaterThan(5);
    expect(whole.length).toBeLessThan(1_000);
    const bytes = served.reduce((sum, { data }) => sum + JSON.stringify(data.users).length, 0);
    expect(bytes).toBeLessThan(limits.frameBytes);
  });
});
