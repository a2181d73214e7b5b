import { describe, expect, test } from "vitest";
import { limits } from "../../../src/protocol/limits.ts";
import { servingCluster } from "../../support/core-cluster.ts";

describe("the size of replies", () => {
  test("[W2] [W7] the replies to an array fit into one frame together, because the server shortens lists that do not fit", () => {
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
