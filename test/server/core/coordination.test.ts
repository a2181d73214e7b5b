import { describe, expect, test } from "vitest";
import { durations } from "../../../src/protocol/limits.ts";
import { coordinator, coordinators, cutOff, others } from "../../support/coordinators.ts";
import {
  CoreCluster as Cluster,
  type CoreCluster,
  checkpointText,
  servingCluster,
} from "../../support/core-cluster.ts";
import type { VirtualServer } from "../../support/virtual-server.ts";

const register = (user: string, id?: string) => ({ user, password: "geheim", id });

describe("the coordinator", () => {
  test("[E1] [E2] a cluster elects one coordinator, which publishes its election, and every server's status names it", () => {
    const cluster = new Cluster({ servers: 3 });
    cluster.runUntilServing();
    const first = coordinator(cluster);
    const { payload } = first.published.find(({ topic }) => topic === "servers") ?? {};
    expect(payload).toMatchObject({
      service: "election",
      data: { coordinator: first.name, epoch: first.core.election.ownEpoch },
    });
    for (const server of cluster.servers) {
      const { coordinator: told, epoch } = cluster.request(server, "status");
      expect({ told, epoch }).toEqual({
        told: first.name,
        epoch: first.core.election.ownEpoch,
      });
    }
  });

  test("[E1] after a coordinator's death the remaining server of the highest rank is elected", () => {
    const cluster = servingCluster(5);
    for (let left = 5; left > 3; left -= 1) {
      cluster.kill(coordinator(cluster));
      const { name } = coordinator(cluster);
      const isRunning = new Set(cluster.servers.flatMap((one) => (one.isRunning ? one.name : [])));
      const ranks = cluster.registry.list(cluster.time.nowMs).sort((a, b) => b.rank - a.rank);
      expect(name).toBe(ranks.find((one) => isRunning.has(one.name as never))?.name);
    }
  });

  test("[E1] a server of higher rank that returns does not replace a working coordinator", () => {
    const cluster = servingCluster(3);
    const first = coordinator(cluster);
    cluster.kill(first);
    const next = coordinator(cluster);
    cluster.start(first);
    cluster.runUntilServing();
    cluster.runFor(5_000);
    expect(coordinator(cluster)).toBe(next);
  });

  test("[E1] a coordinator is elected even if no rank is known because the reference is down", () => {
    const cluster = servingCluster(3);
    for (const server of cluster.servers) cluster.kill(server);
    cluster.stopReference();
    for (const server of cluster.servers) cluster.start(server);
    coordinator(cluster);
  });

  test("[E2] a coordinator that stops resigns, so a successor is elected sooner than after a crash", () => {
    const cluster = servingCluster(3);
    const first = coordinator(cluster);
    const from = cluster.time.nowMs;
    cluster.stop(first);
    cluster.runUntil(
      () => coordinators(cluster).some((one) => one !== first),
      "another is coordinator",
    );
    expect(cluster.time.nowMs - from).toBeLessThan(durations.coordinatorSilenceMs);
  });

  test("[E2] after a new server joins, a coordinator is elected with an epoch of the new view", () => {
    const cluster = servingCluster(2);
    coordinator(cluster);
    cluster.addServer();
    cluster.runUntil(
      () => coordinators(cluster)[0]?.core.election.ownEpoch?.view === 3,
      "the epoch is of view 3",
    );
  });

  test("[E2] [R10] a coordinator that was cut off makes no account while the other servers have a newer coordinator", () => {
    const cluster = servingCluster(5);
    const first = coordinator(cluster);
    cutOff(cluster, first);
    const alone = cluster.ask(first, "register", register("eva", "a"));
    cluster.runUntil(() => coordinators(cluster).length === 2, "the others have one of their own");
    const next = coordinators(cluster).find((one) => one !== first) as VirtualServer;
    expect(cluster.request(next, "register", register("eva", "b")).status).toBe("OK");
    expect(alone.reply).not.toMatchObject({ status: "OK" });
    cluster.network.heal();
    expect(coordinator(cluster)).toBe(next);
    cluster.runUntil(() => first.core.isServing, "the first serves again");
    const again = cluster.request(first, "register", register("eva", "a"));
    expect(again).toMatchObject({ code: "name_taken" });
  });

  test("[E2] a coordinator resigns when it gets an election request with a higher epoch, and the next coordinator's epoch is even higher", () => {
    const cluster = servingCluster(3);
    const first = coordinator(cluster);
    const [second] = others(cluster, first) as [VirtualServer];
    const summary = { server: second.name, clock: 1, view: second.disk.view, durable: {} };
    const request = { service: "election", ...summary, epoch: { view: 3, term: 9 } } as const;
    cluster.hand(first, { type: "coordinationRequest", to: () => {}, request });
    expect(first.core.election.ownEpoch).toBeUndefined();
    expect(coordinator(cluster).core.election.ownEpoch).toMatchObject({ view: 3, term: 10 });
  });

  test("[R2] a promise is on disk after a crash, and the restarted server loads the promise", () => {
    const cluster = servingCluster(3);
    coordinator(cluster);
    const [server] = others(cluster, coordinator(cluster)) as [VirtualServer];
    const { ballot } = server.disk;
    expect(ballot.candidate).toBeDefined();
    cluster.crash(server);
    expect(server.disk.ballot).toEqual(ballot);
    cluster.start(server);
    expect(server.core.promised).toEqual(ballot);
  });
});

describe("claims", () => {
  test("[D9] [R10] a repetition of a successful registration also succeeds at another server, but one with a different id is refused", () => {
    const cluster = servingCluster(3);
    coordinator(cluster);
    const ask = (number: number, id: string) =>
      cluster.request(cluster.server(number), "register", register("eva", id));
    expect(ask(1, "a")).toMatchObject({ status: "OK" });
    expect(ask(2, "a")).toMatchObject({ status: "OK" });
    expect(ask(3, "b")).toMatchObject({ status: "erro", code: "name_taken", retry: false });
    cluster.runUntilEqual();
    const texts = new Set(cluster.servers.map(checkpointText));
    expect(texts.size).toBe(1);
    expect([...texts][0]).toContain('"user":"eva"');
  });

  test("[D5] many concurrent registrations of a name have the same winner on all replicas", () => {
    const cluster = servingCluster(3);
    coordinator(cluster);
    const asked = Array.from({ length: 30 }, (_, at) => {
      return cluster.ask(cluster.server(1 + (at % 3)), "register", register("eva", `id${at}`));
    });
    cluster.runUntil(() => asked.every(({ reply }) => reply !== undefined), "all are answered");
    expect(asked.filter(({ reply }) => reply?.status === "OK")).toHaveLength(1);
    expect(asked.filter(({ reply }) => reply?.code === "name_taken")).toHaveLength(29);
  });

  test("[D9] if registrations have no id, a second one of the same name is not a retry, and gets name_taken", () => {
    const cluster = servingCluster(3);
    coordinator(cluster);
    expect(cluster.request(cluster.server(1), "register", register("eva")).status).toBe("OK");
    const second = cluster.request(cluster.server(1), "register", register("eva"));
    expect(second).toMatchObject({ code: "name_taken" });
  });

  test("[D9] the reply to a login by the name of an account has the id of the operation that made the account", () => {
    const cluster = servingCluster(3);
    coordinator(cluster);
    const server = cluster.server(1);
    expect(cluster.request(server, "login", { user: "ana" }).account).toBeUndefined();
    expect(cluster.request(server, "register", register("eva", "a")).status).toBe("OK");
    cluster.runUntilEqual();
    const { account } = cluster.request(server, "login", { user: "eva" });
    expect(account).toBe("a");
  });

  test("[D3] a decision that no quorum accepted is proposed again by the next coordinator that gets it, if its slot is free", () => {
    const cluster = servingCluster(3);
    const first = coordinator(cluster);
    cutOff(cluster, first);
    const asked = cluster.ask(first, "register", register("eva", "a"));
    cluster.runUntil(() => asked.reply?.code === "unavailable", "the client is told");
    expect(first.core.log.open()).toHaveLength(1);
    cluster.runUntil(() => coordinators(cluster).length === 2, "the others have one of their own");
    cluster.network.heal();
    coordinator(cluster);
    const applied = () => cluster.servers.every(({ core }) => core.log.applied === 1);
    cluster.runUntil(applied, "all have applied it");
    for (const { core } of cluster.servers) {
      expect(core.accounts.owner("eva" as never)?.id).toBe("a");
      expect(core.log.open()).toHaveLength(0);
    }
  });

  test("[D4] without a coordinator a registration gets unavailable within 2 s, and messages can still be published", () => {
    const cluster = servingCluster(3);
    const first = coordinator(cluster);
    const [second, third] = others(cluster, first) as [VirtualServer, VirtualServer];
    const claim = (name: string) => {
      const from = cluster.time.nowMs;
      const asked = cluster.ask(second, "register", register(name, name));
      cluster.runUntil(() => asked.reply !== undefined, "an answer");
      expect(cluster.time.nowMs - from).toBeLessThanOrEqual(2_000);
      return asked.reply;
    };
    // Servers hear each other by broadcasts, but no server reaches a coordinator by peer link.
    cluster.kill(first);
    cluster.network.cut(second.name, third.name, ["peer"]);
    expect(claim("eva")).toMatchObject({ code: "unavailable", retry: true });
    const chat = { user: "ana", channel: "geral", message: "oi" };
    expect(cluster.request(third, "publish", { ...chat, after: {} }).status).toBe("OK");
    cluster.kill(third);
    expect(claim("leo")).toMatchObject({ code: "unavailable", retry: true });
    cluster.network.heal();
    cluster.start(third);
    cluster.runUntil(() => second.core.isServing && coordinators(cluster).length === 1, "a quorum");
    expect(claim("eva")).toMatchObject({ status: "OK" });
  });

  test("[E4] after the coordinator is killed, the next registration succeeds within two seconds", () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const cluster = servingCluster(3, seed);
      const first = coordinator(cluster);
      cluster.kill(first);
      const from = cluster.time.nowMs;
      const [server] = others(cluster, first) as [VirtualServer];
      const data = register("eva", "a");
      let asked = cluster.ask(server, "register", data);
      cluster.runUntil(() => {
        if (asked.reply?.retry === true) asked = cluster.ask(server, "register", data);
        return asked.reply?.status === "OK";
      }, "the claim is served");
      expect(cluster.time.nowMs - from).toBeLessThan(2_000);
    }
  });
});

describe("the cluster's clocks", () => {
  function skewed(skewsMs: readonly number[], seed = 1): CoreCluster {
    const cluster = new Cluster({ servers: 0, seed });
    for (const [at, skewMs] of skewsMs.entries()) {
      const server = cluster.addServer();
      server.skewMs = skewMs;
      server.driftMs = [0.2, -0.2, 0][at % 3] ?? 0;
    }
    cluster.runUntilServing();
    return cluster;
  }

  function spreadMs(cluster: CoreCluster): number {
    const running = cluster.servers.filter(({ isRunning }) => isRunning);
    const times = running.map((server) => cluster.correctedMs(server));
    return Math.max(...times) - Math.min(...times);
  }

  test("[E5] within five rounds, clocks that were a second wrong differ by at most 20 ms, also in the next ten rounds", () => {
    const cluster = skewed([-1_000, 0, 1_000]);
    coordinator(cluster);
    cluster.runUntil(() => spreadMs(cluster) <= 20, "agree", 5 * durations.clockRoundMs);
    for (let round = 0; round < 10; round += 1) {
      cluster.runFor(durations.clockRoundMs);
      expect(spreadMs(cluster)).toBeLessThanOrEqual(20);
    }
    const { members } = cluster.request(cluster.server(1), "status");
    const offsets = (members as { offsetMs: number }[]).map(({ offsetMs }) =>
      Math.round(offsetMs / 100),
    );
    expect(offsets).toEqual([10, 0, -10]);
  });

  test("[E5] every server reports how many rounds corrected each clock, and each clock's last correction", () => {
    const cluster = skewed([-1_000, 0, 1_000]);
    coordinator(cluster);
    const rounds = () => cluster.servers.map(({ core }) => core.clockSync.rounds);
    // The first round corrects by seconds; later rounds correct only the drift.
    cluster.runUntil(() => Math.min(...rounds()) === 4, "four rounds", 5 * durations.clockRoundMs);
    cluster.runFor(2 * durations.heartbeatMs);
    expect(rounds()).toEqual([4, 4, 4]);
    const held = cluster.servers.map(({ core: { name, clockSync } }) => {
      const lastCorrectionMs = Math.round((clockSync.lastCorrectionMs ?? Number.NaN) * 10) / 10;
      return { name, clockRounds: 4, lastCorrectionMs };
    });
    const [fast, slow] = held.map(({ lastCorrectionMs }) => Math.sign(lastCorrectionMs));
    expect([fast, slow]).toEqual([-1, 1]);
    for (const server of cluster.servers) {
      const { members } = cluster.request(server, "status");
      expect(members).toEqual(held.map((fields) => expect.objectContaining(fields)));
    }
  });

  test("[E5] during a failover no server's clock jumps, and no server's time runs backwards", () => {
    const cluster = skewed([-1_000, 0, 1_000]);
    const first = coordinator(cluster);
    cluster.runUntil(() => spreadMs(cluster) <= 20, "agree", 5 * durations.clockRoundMs);
    const before = new Map(cluster.servers.map((server) => [server, cluster.correctedMs(server)]));
    let lastMs = cluster.time.nowMs;
    cluster.kill(first);
    const start = lastMs;
    cluster.runUntil(() => {
      const sinceMs = cluster.time.nowMs - lastMs;
      for (const server of others(cluster, first)) {
        const toldMs = cluster.correctedMs(server);
        const stepMs = toldMs - (before.get(server) ?? 0);
        expect(Math.abs(stepMs - sinceMs)).toBeLessThanOrEqual(1 + 0.11 * sinceMs);
        before.set(server, toldMs);
      }
      lastMs = cluster.time.nowMs;
      return coordinators(cluster).length === 1 && cluster.time.nowMs - start > 12_000;
    }, "twelve seconds with another coordinator");
    expect(spreadMs(cluster)).toBeLessThanOrEqual(20);
  });

  test("[E5] the clock of a restarted server agrees with the other clocks to 20 ms within 3 s", () => {
    const cluster = skewed([-1_000, 0, 1_000]);
    const first = coordinator(cluster);
    cluster.runUntil(() => spreadMs(cluster) <= 20, "agree", 5 * durations.clockRoundMs);
    const [server] = others(cluster, first) as [VirtualServer];
    cluster.kill(server);
    cluster.start(server);
    cluster.runUntil(() => spreadMs(cluster) <= 20, "agree again", 3_000);
  });
});
