import { describe, expect, test } from "vitest";
import { parseUserName } from "../../../src/protocol/ids.ts";
import { type CoreCluster, servingCluster } from "../../support/core-cluster.ts";
import type { VirtualServer } from "../../support/virtual-server.ts";

const eva = parseUserName("eva");

/** Whoever comes to be in office in a term above this one. */
function coordinator(cluster: CoreCluster, aboveTerm = 0): VirtualServer {
  const found = () =>
    cluster.servers.find(({ isRunning, core }) => {
      return isRunning && (core.coordination.office?.term ?? 0) > aboveTerm;
    });
  cluster.runUntil(() => found() !== undefined, `a term above ${aboveTerm}`);
  return found() as VirtualServer;
}

function termOf({ core }: VirtualServer): number {
  return core.coordination.office?.term ?? 0;
}

function register(cluster: CoreCluster, server: VirtualServer, id: string) {
  return cluster.request(server, "register", { user: "eva", password: "x", id });
}

/** The server is cut off with a claim that stands on its own disk alone. */
function claimAlone(cluster: CoreCluster, server: VirtualServer, id: string): void {
  const others = cluster.servers.filter((other) => other !== server).map(({ name }) => name);
  cluster.network.partition([server.name], others);
  const held = () => server.disk.durable[server.name] ?? 0;
  const before = held();
  cluster.ask(server, "register", { user: "eva", password: "x", id });
  cluster.runUntil(() => held() > before, "the claim is on its disk");
}

describe("what older offices left", () => {
  test("[E3] a claim that was won is confirmed, also if its coordinator falls before that", () => {
    const cluster = servingCluster(3);
    const first = coordinator(cluster);
    expect(register(cluster, first, "a")).toMatchObject({ status: "OK" });
    // The reply is out, and the confirmation nowhere but in memory.
    cluster.crash(first);
    coordinator(cluster, 1);
    const running = cluster.servers.filter(({ isRunning }) => isRunning);
    const owners = () => running.map(({ core }) => core.state.accounts.owner(eva)?.id);
    cluster.runUntil(() => owners().every((id) => id === "a"), "all know who owns the name");
  });

  test("[E3] that a name is taken is told once nothing can change it", () => {
    const cluster = servingCluster(3);
    const first = coordinator(cluster);
    claimAlone(cluster, first, "a");
    const second = coordinator(cluster, termOf(first));
    claimAlone(cluster, second, "b");
    const { term } = second.core.coordination.office ?? { term: 0 };
    // The first is back with its claim, and the second, with a newer one, is not.
    cluster.kill(second);
    cluster.network.heal();
    const third = coordinator(cluster, term);
    expect(register(cluster, third, "b")).toMatchObject({ code: "name_taken" });
    const last = termOf(third);
    cluster.start(second);
    cluster.runUntilServing();
    cluster.runUntilEqual();
    cluster.kill(third);
    const fourth = coordinator(cluster, last);
    expect(register(cluster, fourth, "b")).toMatchObject({ code: "name_taken" });
    expect(register(cluster, fourth, "a")).toMatchObject({ status: "OK" });
  });
});
