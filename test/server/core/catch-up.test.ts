import { describe, expect, test } from "vitest";
import type { Phase } from "../../../src/protocol/peer-messages.ts";
import { checkpointText, servingCluster } from "../../support/core-cluster.ts";
import type { VirtualServer } from "../../support/virtual-server.ts";

const hello = { user: "ana", channel: "geral", message: "Olá!", after: {} };

function phasesUntilServing(
  cluster: ReturnType<typeof servingCluster>,
  server: VirtualServer,
): Phase[] {
  const seen: Phase[] = [];
  cluster.runUntil(() => {
    const { phase } = server.core.catchUp;
    if (seen.at(-1) !== phase) seen.push(phase);
    return server.inRotation;
  }, "it serves");
  return seen;
}

describe("a server that lacks events", () => {
  test("[R8] a new server goes through the phases backfill, cutover and live, and ends with its peers' state", () => {
    const cluster = servingCluster(2);
    const first = cluster.server(1);
    for (let batch = 0; batch < 5; batch += 1) {
      const requests = Array.from({ length: 500 }, (_, number) => {
        return { service: "publish", data: { ...hello, message: `${batch}.${number}` } };
      });
      cluster.askPayload(first, requests);
    }
    cluster.runUntilEqual();
    const late = cluster.addServer();
    const startMs = cluster.time.nowMs;
    expect(phasesUntilServing(cluster, late)).toEqual(["backfill", "cutover", "live"]);
    expect(cluster.time.nowMs - startMs).toBeLessThan(2_500);
    cluster.runUntilEqual();
    expect(checkpointText(late)).toBe(checkpointText(first));
  });

  test("[R1] a server that misses an event fetches that event before it applies later events of the same origin", () => {
    const cluster = servingCluster(3);
    const [a, b, c] = [cluster.server(1), cluster.server(2), cluster.server(3)];
    const held = c.disk.durable[a.name] ?? 0;
    cluster.network.cut(a.name, c.name, ["broadcast"]);
    cluster.request(a, "publish", { ...hello, message: "lost" });
    expect(c.core.ledger.held[a.name] ?? 0).toBe(held);
    cluster.network.heal();
    const startMs = cluster.time.nowMs;
    cluster.request(a, "publish", { ...hello, message: "seen" });
    cluster.runUntil(() => c.disk.durable[a.name] === held + 2, "the gap is filled");
    // The server asks as soon as it sees the gap, without waiting for a heartbeat.
    expect(cluster.time.nowMs - startMs).toBeLessThan(150);
    const seqs = c.disk.lines
      .filter(({ event }) => event.server === a.name)
      .map(({ event }) => event.seq);
    expect(seqs).toEqual(seqs.map((_, index) => index + 1));
    expect(b.disk.durable).toEqual(a.disk.durable);
  });

  test("[R8] a server that missed the last event learns of the event from the next heartbeats, and fetches it", () => {
    const cluster = servingCluster(3);
    const [a, , c] = [cluster.server(1), cluster.server(2), cluster.server(3)];
    cluster.network.cut(a.name, c.name, ["broadcast"]);
    cluster.request(a, "publish", hello);
    cluster.network.heal();
    cluster.runUntilEqual(2_000);
    expect(c.disk.durable).toEqual(a.disk.durable);
  });

  test("[R8] if all broadcasts are lost, servers poll each other and writes still commit", () => {
    const cluster = servingCluster(3);
    cluster.network.broadcastLoss = 1;
    cluster.runFor(3_000);
    expect(cluster.servers.map(({ inRotation }) => inRotation)).toEqual([true, true, true]);
    for (const server of cluster.servers) {
      const startMs = cluster.time.nowMs;
      expect(cluster.request(server, "publish", hello).status).toBe("OK");
      expect(cluster.time.nowMs - startMs).toBeLessThan(1_000);
    }
    cluster.runUntilEqual(3_000);
  });

  test("[R8] after a partition heals, all servers reach the same state without further requests", () => {
    const cluster = servingCluster(5);
    const names = cluster.servers.map(({ name }) => name);
    cluster.network.partition(names.slice(0, 2), names.slice(2));
    for (const server of cluster.servers) cluster.ask(server, "publish", hello);
    cluster.runFor(10_000);
    expect(cluster.server(1).disk.durable).not.toEqual(cluster.server(5).disk.durable);
    cluster.network.heal();
    cluster.runUntilEqual(6_000);
    cluster.runUntilServing();
    const files = cluster.servers.map(checkpointText);
    expect(new Set(files).size).toBe(1);
  });

  test("[R2] a server that lost unsynced events in a crash fetches them from its peers after its restart", () => {
    const cluster = servingCluster(3);
    const c = cluster.server(3);
    c.syncMs = 300;
    cluster.request(cluster.server(1), "publish", hello);
    cluster.crash(c);
    const lacked = c.disk.lines.length;
    c.syncMs = 1;
    cluster.start(c);
    cluster.runUntilServing();
    cluster.runUntilEqual();
    expect(c.disk.lines.length).toBeGreaterThan(lacked);
  });

  test("[J5] an event line that was changed in transit is refused and fetched again", () => {
    const cluster = servingCluster(2);
    const [a, b] = [cluster.server(1), cluster.server(2)];
    const lines = a.disk.lines.map(({ line }) => line.replace("ana", "eva"));
    const empty = b.core.ledger.held[a.name];
    for (const line of lines) b.core.ledger.receive(line);
    expect(b.core.ledger.held[a.name]).toBe(empty);
    cluster.request(a, "publish", hello);
    cluster.runUntilEqual();
  });
});
