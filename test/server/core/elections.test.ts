import { describe, expect, test } from "vitest";
import { durations, limits } from "../../../src/protocol/limits.ts";
import type {
  CoordinationAnswer,
  CoordinationRequest,
  ReplicaSummary,
} from "../../../src/protocol/peer-messages.ts";
import { coordinator, coordinators, others } from "../../support/coordinators.ts";
import { type CoreCluster, servingCluster } from "../../support/core-cluster.ts";
import type { VirtualServer } from "../../support/virtual-server.ts";

/** The most milliseconds that the remaining servers may take to elect a coordinator. */
const boundMs = 4_000;

/** The servers in the reference's list, the highest rank first. */
function byRank(cluster: CoreCluster): VirtualServer[] {
  const list = [...cluster.registry.list(cluster.time.nowMs)].sort((a, b) => b.rank - a.rank);
  return list.flatMap(({ name }) => cluster.servers.filter((server) => server.name === name));
}

/** Waits until a server other than `before` is coordinator. @returns the milliseconds waited */
function succession(cluster: CoreCluster, before: VirtualServer, limitMs = boundMs): number {
  const from = cluster.time.nowMs;
  const isThere = () => coordinators(cluster).some((server) => server !== before);
  cluster.runUntil(isThere, "another is coordinator", limitMs);
  return cluster.time.nowMs - from;
}

/** Cuts a server off from the reference, and from all servers except `but`. */
function isolate(cluster: CoreCluster, server: VirtualServer, ...but: VirtualServer[]): void {
  const rest = others(cluster, server, ...but).map(({ name }) => name);
  cluster.network.partition([server.name], [...rest, "reference"]);
}

/** A summary of a server, with a clock so high that peers take it for the newest. */
function summaryOf({ name, core }: VirtualServer): ReplicaSummary {
  const { view, committed } = core.replication;
  return { server: name, clock: core.clock.value + 1_000, view, durable: { ...committed } };
}

function answersTo(
  cluster: CoreCluster,
  asked: VirtualServer,
  request: CoordinationRequest,
): number {
  const answers: CoordinationAnswer[] = [];
  const to = (answer: CoordinationAnswer) => answers.push(answer);
  cluster.hand(asked, { type: "coordinationRequest", to, request });
  return answers.length;
}

describe("waiting for a server of higher rank", () => {
  // With five servers, three may become candidates at once and split the vote, which costs one more
  // candidacy.
  test.each([
    { servers: 3, limitMs: boundMs },
    { servers: 5, limitMs: 5_000 },
  ])(
    "[E1] $servers servers elect a coordinator in time even if a restarted server knows no ranks",
    ({ servers, limitMs }) => {
      for (let number = 1; number <= servers; number += 1) {
        const cluster = servingCluster(servers);
        coordinator(cluster);
        cluster.stopReference();
        const restarted = cluster.server(number);
        cluster.kill(restarted);
        cluster.start(restarted);
        cluster.runUntil(() => restarted.core.isServing, "it serves again");
        const last = coordinator(cluster);
        cluster.kill(last);
        succession(cluster, last, limitMs);
      }
    },
  );

  test("[E1] servers elect a coordinator without waiting for a server of higher rank that is catching up", () => {
    const cluster = servingCluster(5);
    const first = coordinator(cluster);
    const [high] = byRank(cluster).filter((server) => server !== first) as [VirtualServer];
    cluster.kill(high);
    const say = (message: string) => ({ user: "ana", channel: "geral", message });
    cluster.request(first, "publish", say("what it lacks"));
    cluster.start(high);
    high.syncMs = 60_000;
    cluster.request(first, "publish", say("what its disk takes a minute for"));
    cluster.runFor(durations.aliveMs);
    expect(high.isRunning && high.core.catchUp.phase !== "live").toBe(true);
    cluster.kill(first);
    // A server that waited for the announcement of `high` would wait `announcementMs`.
    expect(succession(cluster, first)).toBeLessThan(durations.announcementMs);
    expect(coordinators(cluster)).not.toContain(high);
  });

  test("[E1] servers elect a coordinator without waiting for a server of higher rank that is stopping", () => {
    const cluster = servingCluster(5);
    const first = coordinator(cluster);
    const [high] = byRank(cluster).filter((server) => server !== first) as [VirtualServer];
    // This request stays open for a second, so the stop takes that long.
    const after = { [high.name]: 1_000 };
    cluster.ask(high, "history", { channel: "geral", after });
    cluster.stop(high);
    cluster.kill(first);
    expect(succession(cluster, first)).toBeLessThan(durations.announcementMs);
    expect(high.core.catchUp.phase).toBe("draining");
  });

  test("[E1] servers elect a coordinator without waiting for a server of higher rank that is about to leave the view", () => {
    const cluster = servingCluster(5);
    const first = coordinator(cluster);
    const [high] = byRank(cluster).filter((server) => server !== first) as [VirtualServer];
    cluster.stopReference();
    cluster.stop(high, { leave: true });
    cluster.runFor(durations.aliveMs);
    cluster.kill(first);
    expect(succession(cluster, first)).toBeLessThan(durations.announcementMs);
    expect(high.isRunning).toBe(true);
  });

  test("[E1] [E2] servers elect a new coordinator without waiting until the old coordinator has left the view", () => {
    for (const servers of [3, 5]) {
      const cluster = servingCluster(servers);
      const first = coordinator(cluster);
      cluster.stopReference();
      cluster.stop(first, { leave: true });
      expect(succession(cluster, first)).toBeLessThan(durations.announcementMs);
      expect(first.isRunning).toBe(true);
    }
  });
});

describe("a coordinator that was replaced", () => {
  test("[E2] a replaced coordinator that learns of its successor in a new view follows the successor, and does not become a candidate", () => {
    const cluster = servingCluster(4);
    const first = coordinator(cluster);
    isolate(cluster, first);
    for (const server of others(cluster, first)) {
      cluster.hand(server, { type: "peerLost", from: first.name });
    }
    const second = () => coordinators(cluster).find((server) => server !== first);
    cluster.runUntil(() => second() !== undefined, "the others have one of their own");
    const added = cluster.addServer();
    isolate(cluster, first);
    const { number } = cluster.registry.view;
    const isNew = ({ core }: VirtualServer) => core.election.ownEpoch?.view === number + 1;
    cluster.runUntil(() => coordinators(cluster).some(isNew), "its epoch is of the new view");
    const next = second() as VirtualServer;
    const epoch = next.core.election.ownEpoch;
    // The first coordinator is still in the rotation, so it may become a candidate at any time.
    expect(first.core.catchUp.phase).toBe("live");
    expect(first.core.election.ownEpoch).toBeDefined();
    // The first coordinator can get the view only from its successor.
    cluster.network.heal();
    isolate(cluster, first, next);
    cluster.runUntil(() => first.disk.view.number === number + 1, "it has adopted the view");
    cluster.network.heal();
    cluster.runFor(durations.coordinatorSilenceMs);
    expect(first.logged.join("\n")).toContain("No longer coordinator of epoch 4.1: a new view");
    expect(coordinator(cluster).core.election.ownEpoch).toEqual(epoch);
    expect(cluster.servers.map(({ core }) => core.promised.epoch)).toEqual(
      cluster.servers.map(() => epoch),
    );
    expect(added.core.isServing).toBe(true);
  });
});

describe("answers and epochs of other servers", () => {
  test("[E2] a coordinator does not count the accept of a server that answers in place of the asked server", () => {
    const cluster = servingCluster(5);
    const first = coordinator(cluster);
    const [near, ...far] = others(cluster, first) as [VirtualServer, ...VirtualServer[]];
    for (const server of far) cluster.network.partition([first.name, near.name], [server.name]);
    const asked = cluster.ask(first, "register", { user: "eva", password: "x", id: "a" });
    const before = first.core.ledger.held[first.name] ?? 0;
    cluster.runUntil(() => {
      return first.core.log.highest > 0 && (near.disk.durable[first.name] ?? 0) > before;
    }, "the decision is on two disks of five");
    const epoch = first.core.election.ownEpoch ?? { view: 0, term: 0 };
    const seq = first.core.ledger.held[first.name] ?? 0;
    const { accepted } = first.core.election;
    // The near server, which has accepted already, answers in place of the far servers.
    for (const { name } of far) {
      const request = { service: "accept", ...summaryOf(first), epoch, seq } as const;
      const verdict = { service: "accept", isGranted: true, promised: epoch } as const;
      const answer = { ...summaryOf(near), ...verdict };
      cluster.hand(first, { type: "coordinationAnswer", from: name, request, answer });
    }
    expect(first.core.election.accepted).toBe(accepted);
    cluster.runUntil(() => asked.reply !== undefined, "an answer");
    expect(asked.reply).toMatchObject({ code: "unavailable", retry: true });
  });

  test.each(["election", "candidate", "accept"] as const)(
    "[E2] a coordinator ignores a request whose term is near the largest safe integer: %s",
    (service) => {
      const cluster = servingCluster(3);
      const first = coordinator(cluster);
      const [peer] = others(cluster, first) as [VirtualServer];
      const { epoch: highest } = first.core.promised;
      const epoch = { view: highest.view, term: Number.MAX_SAFE_INTEGER };
      const request = { service, ...summaryOf(peer), epoch, seq: 1 } as CoordinationRequest;
      answersTo(cluster, first, request);
      expect(first.core.election.ownEpoch).toEqual(highest);
      expect(first.core.promised.epoch).toEqual(highest);
      cluster.kill(first);
      succession(cluster, first);
      expect(coordinator(cluster).core.election.ownEpoch?.term).toBeLessThan(limits.termsAhead);
    },
  );

  test("[E1] no server follows a coordinator with a term near the largest safe integer", () => {
    const cluster = servingCluster(3);
    const first = coordinator(cluster);
    const [peer, third] = others(cluster, first) as [VirtualServer, VirtualServer];
    const { number: view } = first.core.replication.view;
    const office = { view, term: Number.MAX_SAFE_INTEGER };
    cluster.hand(first, {
      type: "replication",
      message: { ...summaryOf(peer), office, type: "ack" },
    });
    const answer = { ...summaryOf(third), service: "accept", isGranted: false } as const;
    const request = { service: "accept", ...summaryOf(first), epoch: office, seq: 1 } as const;
    cluster.hand(first, {
      type: "coordinationAnswer",
      from: third.name,
      request,
      answer: { ...answer, promised: office },
    });
    expect(first.core.election.coordinator?.name).not.toBe(peer.name);
    expect(first.core.election.ownEpoch?.view).toBe(view);
    expect(first.core.election.ownEpoch?.term).toBeLessThan(limits.termsAhead);
  });
});
