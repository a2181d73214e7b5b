import { describe, expect, test } from "vitest";
import type { Receipt } from "../../../src/protocol/client-messages.ts";
import type { ServerName } from "../../../src/protocol/ids.ts";
import { durations } from "../../../src/protocol/limits.ts";
import type { Effect } from "../../../src/server/core/effects.ts";
import { PromiseChecks } from "../../support/check-promises.ts";
import { type CoreCluster, servingCluster } from "../../support/core-cluster.ts";
import type { VirtualServer } from "../../support/virtual-server.ts";

const hello = { user: "ana", channel: "geral", message: "Olá!", after: {} };

interface Sent {
  readonly from: ServerName;
  /** Undefined if the acknowledgement was broadcast. */
  readonly to: ServerName | undefined;
}

/** Records the acknowledgements that servers send. */
class Acknowledgements extends PromiseChecks {
  readonly sent: Sent[] = [];

  override onEffect(cluster: CoreCluster, server: VirtualServer, effect: Effect): void {
    super.onEffect(cluster, server, effect);
    const from = server.name;
    if (effect.type === "ack") this.sent.push({ from, to: effect.peer });
    const isBroadcast = effect.type === "broadcast" && effect.message.type === "ack";
    if (isBroadcast) this.sent.push({ from, to: undefined });
  }
}

/** Lets the first server make an event. @returns the event, and the acknowledgements of it */
function publishOnce(cluster: CoreCluster) {
  const acknowledgements = new Acknowledgements();
  cluster.checks = acknowledgements;
  const { entry } = cluster.request(cluster.server(1), "publish", hello);
  return { event: entry as Receipt, sent: acknowledgements.sent };
}

function isCommittedBy({ core }: VirtualServer, { server, seq }: Receipt): boolean {
  return (core.replication.committed[server] ?? 0) >= seq;
}

describe("acknowledgements", () => {
  test("[L3] in a cluster of three servers, an acknowledgement goes to the event's origin alone, and all three servers commit the event before the next heartbeat", () => {
    const cluster = servingCluster(3);
    const startMs = cluster.time.nowMs;
    const { event, sent } = publishOnce(cluster);
    cluster.runUntil(
      () => cluster.servers.every((server) => isCommittedBy(server, event)),
      "all servers have committed the event",
    );
    expect(cluster.time.nowMs - startMs).toBeLessThan(durations.coordinatorHeartbeatMs / 2);
    const [first, second, third] = cluster.servers.map(({ name }) => name);
    expect(sent).toHaveLength(2);
    expect(sent).toContainEqual({ from: second, to: first });
    expect(sent).toContainEqual({ from: third, to: first });
  });

  test("[L3] in a cluster of five servers, an acknowledgement is broadcast, because each server must learn of three disks that have the event", () => {
    const cluster = servingCluster(5);
    const { event, sent } = publishOnce(cluster);
    cluster.runUntil(
      () => cluster.servers.every((server) => isCommittedBy(server, event)),
      "all servers have committed the event",
    );
    expect(sent).toHaveLength(4);
    expect(sent.every(({ to }) => to === undefined)).toBe(true);
  });

  test("[L3] an acknowledgement is broadcast if the event's origin runs a version that accepts no acknowledgements on peer links", () => {
    const cluster = servingCluster(3);
    const [first, second] = cluster.servers as [VirtualServer, VirtualServer];
    second.core.replication.peer(first.name).takesAcks = false;
    const { sent } = publishOnce(cluster);
    expect(sent).toContainEqual({ from: second.name, to: undefined });
  });

  test("[L3] a write whose acknowledgements are lost on the peer links is answered after the peers' next heartbeats", () => {
    const cluster = servingCluster(3);
    const [first, ...others] = cluster.servers as [VirtualServer, ...VirtualServer[]];
    for (const { name } of others) cluster.network.cut(first.name, name, ["peer"]);
    const startMs = cluster.time.nowMs;
    const { sent } = publishOnce(cluster);
    expect(sent).toHaveLength(2);
    expect(sent.every(({ to }) => to === first.name)).toBe(true);
    expect(cluster.time.nowMs - startMs).toBeLessThan(durations.heartbeatMs + 100);
  });
});
