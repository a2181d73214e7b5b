import { describe, expect, test } from "vitest";
import type { Operation } from "../../../src/protocol/operation.ts";
import type { Ledger } from "../../../src/server/core/replica/ledger.ts";
import { coordinator, others } from "../../support/coordinators.ts";
import { servingCluster } from "../../support/core-cluster.ts";
import type { VirtualServer } from "../../support/virtual-server.ts";

const register = (user: string) => ({ user, password: "geheim", id: user });

/** Lets the server apply a decision in its next slot, without a quorum. */
function decide({ core }: VirtualServer, operation: object): void {
  const [epoch, slot] = [{ view: 1, term: 1 }, core.log.applied + 1];
  const ops = [{ by: "ana", id: "a", since: 0, ...operation } as Operation];
  core.log.add({ epoch, slot, time: 0, ops });
  core.log.settle({ epoch, upTo: slot });
}

describe("faults of decisions", () => {
  test("[D5] servers that have applied different decisions in a slot notice it by each other's heartbeats, and log it once", () => {
    const cluster = servingCluster(3);
    const first = coordinator(cluster);
    const [second, third] = others(cluster, first) as [VirtualServer, VirtualServer];
    for (const server of [first, second]) decide(server, { kind: "rehash" });
    decide(third, { kind: "reset" });
    cluster.runFor(2_000);
    for (const server of cluster.servers) {
      const told = cluster.request(server, "status");
      expect(told.decisionFaults).toEqual({ differs: 1 });
      const listed = cluster.registry.list(cluster.time.nowMs);
      const report = listed.find(({ name }) => name === server.name);
      expect(report?.decisionFaults).toMatchObject({ differs: 1 });
      const isDifference = (line: string) => line.startsWith("What was decided up to slot 1 ");
      const lines = server.logged.filter(isDifference);
      expect(lines).toHaveLength(server === third ? 2 : 1);
    }
  });

  test("[D5] a server that does not know an operation says so in its status, applies no further decision, and still takes messages", () => {
    const cluster = servingCluster(3);
    const first = coordinator(cluster);
    const [server] = others(cluster, first) as [VirtualServer, VirtualServer];
    decide(server, { kind: "sale" });
    const [epoch, ops] = [{ view: 1, term: 1 }, []];
    server.core.log.add({ epoch, slot: 2, time: 0, ops });
    server.core.log.settle({ epoch, upTo: 2 });
    cluster.runFor(1_000);
    expect(server.core.log.applied).toBe(0);
    expect(cluster.request(server, "status").decisionFaults).toEqual({ unknownKind: "sale" });
    const message = { user: "ana", channel: "geral", message: "hello" };
    expect(cluster.request(server, "publish", message).status).toBe("OK");
  });

  test("[O60] an account that version 0.1.0 has written has no effect, and the servers' status tells of it", () => {
    const cluster = servingCluster(3);
    const first = coordinator(cluster);
    const data = { user: "eva", credential: "x", epoch: { view: 1, term: 1 } };
    (first.core.ledger as Ledger).make("register", data, cluster.time.nowMs);
    cluster.runUntilEqual();
    for (const server of cluster.servers) {
      expect(cluster.request(server, "status").decisionFaults).toEqual({ hasFormer: true });
      expect(server.core.accounts.owner("eva" as never)).toBeUndefined();
    }
    expect(cluster.request(first, "register", register("eva")).status).toBe("OK");
  });
});
