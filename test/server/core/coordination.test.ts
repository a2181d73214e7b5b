import { describe, expect, test } from "vitest";
import { type CoreCluster, servingCluster } from "../../support/core-cluster.ts";
import type { VirtualServer } from "../../support/virtual-server.ts";

/** Who says that it is in office. */
function inOffice(cluster: CoreCluster): VirtualServer[] {
  return cluster.servers.filter(({ isRunning, core }) => {
    return isRunning && core.coordination.office !== undefined;
  });
}

function coordinator(cluster: CoreCluster): VirtualServer {
  cluster.runUntil(() => inOffice(cluster).length === 1, "somebody is in office");
  return inOffice(cluster)[0] as VirtualServer;
}

describe("the office", () => {
  test("[E1] [E2] a cluster elects one coordinator, and all know it", () => {
    const cluster = servingCluster(3);
    const first = coordinator(cluster);
    cluster.runFor(1_000);
    expect(inOffice(cluster)).toEqual([first]);
    for (const server of cluster.servers) {
      const status = cluster.request(server, "status");
      expect(status).toMatchObject({ coordinator: first.name });
    }
  });

  test("[E3] register claims a name once, whoever is asked", () => {
    const cluster = servingCluster(3);
    coordinator(cluster);
    const ask = (number: number, id: string) =>
      cluster.request(cluster.server(number), "register", { user: "eva", password: "geheim", id });
    expect(ask(1, "a")).toMatchObject({ status: "OK" });
    expect(ask(2, "a")).toMatchObject({ status: "OK" });
    expect(ask(3, "b")).toMatchObject({ status: "erro", code: "name_taken" });
    cluster.runUntilEqual();
    expect(cluster.request(cluster.server(2), "login", { user: "eva" })).toHaveProperty("account");
  });

  test("[E4] after a kill another takes office soon, and claims are served", () => {
    const cluster = servingCluster(3);
    const first = coordinator(cluster);
    cluster.kill(first);
    const from = cluster.time.nowMs;
    const next = coordinator(cluster);
    expect(next).not.toBe(first);
    expect(cluster.request(next, "register", { user: "eva", password: "x" }).status).toBe("OK");
    expect(cluster.time.nowMs - from).toBeLessThan(2_000);
  });
});
