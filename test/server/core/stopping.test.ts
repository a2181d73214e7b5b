import { describe, expect, test } from "vitest";
import { type CoreCluster, checkpointText, servingCluster } from "../../support/core-cluster.ts";
import type { VirtualServer } from "../../support/virtual-server.ts";

const hello = { user: "ana", channel: "geral", message: "Olá!" };

function stopAll(cluster: CoreCluster): void {
  for (const server of cluster.servers) cluster.stop(server);
  cluster.runUntil(() => cluster.servers.every(({ isRunning }) => !isRunning), "all end", 5_000);
}

function expectEqualFiles(cluster: CoreCluster): void {
  const [first, ...others] = cluster.servers.map(checkpointText);
  for (const other of others) expect(other).toBe(first);
  const onDisk = cluster.servers.map(({ disk }) => disk.durable);
  for (const durable of onDisk) expect(durable).toEqual(onDisk[0]);
}

describe("a server that stops", () => {
  test("[R11] a stopping server leaves the rotation and answers its open requests", () => {
    const cluster = servingCluster(3);
    const server = cluster.server(1);
    const questions = Array.from({ length: 20 }, () => cluster.ask(server, "publish", hello));
    cluster.stop(server);
    cluster.runUntil(() => !server.inRotation, "it leaves the rotation", 2_500);
    cluster.runUntil(() => !server.isRunning, "it ends", 5_000);
    expect(questions.map(({ reply }) => reply?.status)).toEqual(questions.map(() => "OK"));
  });

  test("[R11] a stopping server answers its open requests early enough for the replies to reach the clients", () => {
    const cluster = servingCluster(3);
    const server = cluster.server(1);
    const questions = Array.from({ length: 20 }, () => cluster.ask(server, "publish", hello));
    cluster.stop(server);
    cluster.runUntil(() => !server.isRunning, "it ends", 5_000);
    expect(questions.filter(({ isLost }) => isLost)).toHaveLength(0);
  });

  test("[R11] a server with no open requests stops within a second", () => {
    const cluster = servingCluster(3);
    const startMs = cluster.time.nowMs;
    cluster.stop(cluster.server(2));
    cluster.runUntil(() => !cluster.server(2).isRunning, "it ends");
    expect(cluster.time.nowMs - startMs).toBeLessThan(1_000);
  });

  test("[R11] a server with no open requests stops within 100 ms while another server makes an event every 20 ms", () => {
    for (let seed = 1; seed <= 12; seed += 1) {
      const cluster = servingCluster(3, seed);
      cluster.runFor(seed * 37);
      const [stopping, writing] = cluster.servers as [VirtualServer, VirtualServer];
      const startMs = cluster.time.nowMs;
      cluster.stop(stopping);
      for (let step = 0; stopping.isRunning; step += 1) {
        const message = { user: "ana", channel: "geral", message: "Olá!", id: `${step}` };
        if (step % 4 === 0) cluster.ask(writing, "publish", message);
        cluster.runFor(5);
      }
      expect(cluster.time.nowMs - startMs).toBeLessThan(100);
    }
  });

  test("[R11] a server stops within 5 s even if all its peers have crashed", () => {
    const cluster = servingCluster(3);
    cluster.crash(cluster.server(2));
    cluster.crash(cluster.server(3));
    const open = cluster.ask(cluster.server(1), "publish", hello);
    cluster.stop(cluster.server(1));
    cluster.runUntil(() => !cluster.server(1).isRunning, "it ends", 5_000);
    expect(open.reply).toMatchObject({ code: "unavailable" });
  });

  test("[R11] a stopped server remains a member, and serves again when it is started", () => {
    const cluster = servingCluster(3);
    const server = cluster.server(1);
    cluster.stop(server);
    cluster.runUntil(() => !server.isRunning, "it ends");
    expect(cluster.registry.view.members).toContain(server.name);
    cluster.start(server);
    cluster.runUntilServing();
    expect(cluster.registry.view.number).toBe(3);
  });

  test("[R4] [R11] if all servers stop together while no requests are open, they leave equal files", () => {
    const cluster = servingCluster(3);
    for (const server of cluster.servers) cluster.request(server, "publish", hello);
    stopAll(cluster);
    expectEqualFiles(cluster);
  });

  test.each([1, 2, 3, 4, 5])(
    "[R4] [R11] if all servers stop together while requests are open, they leave equal files (seed %i)",
    (seed) => {
      const cluster = servingCluster(3, seed);
      for (let number = 0; number < 30; number += 1) {
        cluster.ask(cluster.server(1 + (number % 3)), "publish", hello);
        cluster.runFor(1);
      }
      stopAll(cluster);
      expectEqualFiles(cluster);
    },
  );

  test("[R4] [R11] servers that stop together leave equal files even if one server never got the broadcast of an event", () => {
    const cluster = servingCluster(3);
    const [a, , c] = [cluster.server(1), cluster.server(2), cluster.server(3)];
    cluster.network.cut(a.name, c.name, ["broadcast"]);
    cluster.request(a, "publish", { ...hello, after: {} });
    cluster.network.heal();
    stopAll(cluster);
    expectEqualFiles(cluster);
  });

  test("[R4] [R11] servers that stop 10 ms apart, while requests still come, leave equal files", () => {
    const cluster = servingCluster(3);
    for (let number = 0; number < 60; number += 1) {
      cluster.ask(cluster.server(1 + (number % 3)), "publish", { ...hello, after: {} });
      if (number === 30) cluster.stop(cluster.server(1));
      if (number === 40) cluster.stop(cluster.server(2));
      if (number === 50) cluster.stop(cluster.server(3));
      cluster.runFor(1);
    }
    cluster.runUntil(() => cluster.servers.every(({ isRunning }) => !isRunning), "all end", 5_000);
    expectEqualFiles(cluster);
  });
});
