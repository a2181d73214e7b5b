import { expect, test, vi } from "vitest";
import { durations } from "../../src/protocol/limits.ts";
import { type CoreCluster, checkpointText, servingCluster } from "../support/core-cluster.ts";
import type { VirtualServer } from "../support/virtual-server.ts";

const hello = { user: "ana", channel: "geral", message: "hello" };

/** A cluster whose third server lacks events that its peers have only in their saved states. */
function farBehind(): { cluster: CoreCluster; behind: VirtualServer } {
  const cluster = servingCluster(3);
  const [first, second, behind] = [1, 2, 3].map((number) => cluster.server(number)) as [
    VirtualServer,
    VirtualServer,
    VirtualServer,
  ];
  cluster.kill(behind);
  for (let count = 0; count < 5; count += 1) cluster.request(first, "publish", hello);
  cluster.runUntilEqual();
  for (const server of [first, second]) {
    cluster.save(server);
    cluster.runUntil(() => !server.isSaving, "it is saved");
  }
  cluster.start(behind);
  return { cluster, behind };
}

function untilLogged(cluster: CoreCluster, { logged }: VirtualServer, text: string): void {
  cluster.runUntil(() => logged.some((line) => line.includes(text)), text);
}

test("[R8] a server that is far behind starts from a peer's saved state", () => {
  const { cluster, behind } = farBehind();
  untilLogged(cluster, behind, "Has the saved state of");
  cluster.runUntilServing();
  cluster.runUntilEqual();
  expect(new Set(cluster.servers.map(checkpointText)).size).toBe(1);
});

test("[R11] a server ends if it is stopped while it loads a peer's saved state", () => {
  const { cluster, behind } = farBehind();
  // The slow disk makes loading slow, and until the state is loaded the server has no core.
  behind.syncMs = 300;
  cluster.runUntil(() => behind.disk.fetched !== undefined, "the state is in place");
  cluster.stop(behind);
  cluster.runUntil(() => !behind.isRunning, "it ends", 2 * durations.settleMs + durations.drainMs);
});

test("[R11] if a server is stopped while it fetches a peer's saved state, the server abandons the fetch and ends", () => {
  const { cluster, behind } = farBehind();
  untilLogged(cluster, behind, "fetches the saved state of");
  cluster.stop(behind);
  untilLogged(cluster, behind, "did not come");
  cluster.runUntil(() => !behind.isRunning, "it ends", 2 * durations.settleMs + durations.drainMs);
  expect(behind.disk.fetched).toBeUndefined();
});

test("a server asks for a rank until the reference gives the server a rank", () => {
  const cluster = servingCluster(3);
  cluster.stopReference();
  const late = cluster.addServer();
  cluster.runFor(3 * durations.peerRequestMs);
  expect(late.logged).not.toContain("Has a rank");
  cluster.startReference();
  untilLogged(cluster, late, "Has a rank");
});

test("[J5] a server ends if its disk lost events and no peer returns them within a minute", () => {
  const cluster = servingCluster(3);
  const server = cluster.server(3);
  cluster.kill(server);
  server.disk.rot(0);
  const others = cluster.servers.slice(0, 2).map(({ name }) => name);
  cluster.network.partition([server.name], others);
  cluster.start(server);
  cluster.runFor(durations.repairMs - 1);
  expect(server.isRunning).toBe(true);
  cluster.runUntil(() => !server.isRunning, "it gives up");
  expect(server.logged.at(-1)).toContain("no peer has returned what was lost");
});

test("a server ticks 20 times a second while a request is open, and at most 6 times a second at rest", () => {
  const cluster = servingCluster(3);
  cluster.runFor(10_000);
  const [server, ...others] = cluster.servers as [VirtualServer, ...VirtualServer[]];
  const step = vi.spyOn(server.core, "step");
  const ticksOfASecond = () => {
    step.mockClear();
    cluster.runFor(1_000);
    return step.mock.calls.filter(([{ type }]) => type === "tick").length;
  };
  for (const { core } of cluster.servers) expect(core.isAtRest).toBe(true);
  expect(ticksOfASecond()).toBeLessThanOrEqual(6);
  const names = others.map(({ name }) => name);
  cluster.network.partition([server.name], names);
  cluster.ask(server, "publish", hello);
  expect(ticksOfASecond()).toBe(20);
});
