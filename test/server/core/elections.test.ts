import { describe, expect, test } from "vitest";
import { durations, limits } from "../../../src/protocol/limits.ts";
import type { OfficeAnswer } from "../../../src/protocol/messages.ts";
import { type CoreCluster, servingCluster } from "../../support/core-cluster.ts";
import { coordinator, inOffice, others } from "../../support/offices.ts";
import type { VirtualServer } from "../../support/virtual-server.ts";

/** Silence, then twice a question and a wait in vain, and a candidacy. */
const longestElectionMs =
  durations.officeSilenceMs + 2 * (durations.electionMs + durations.announcementMs) + 1_000;

/** Silence, a question that nobody answers, and a candidacy. */
const electionMs = durations.officeSilenceMs + durations.electionMs + 1_000;

function expectOffice(cluster: CoreCluster, not: VirtualServer, withinMs = electionMs): void {
  const isThere = () => inOffice(cluster).some((server) => server !== not);
  cluster.runUntil(isThere, "another is in office", withinMs);
}

describe("[E1] nobody is waited for who will not come", () => {
  test.each([1, 2, 3])(
    "server %i restarts without a reference, then the coordinator falls",
    (n) => {
      const cluster = servingCluster(5);
      coordinator(cluster);
      const back = cluster.server(n);
      cluster.stopReference();
      cluster.kill(back);
      cluster.start(back);
      cluster.runUntil(() => back.core.isServing, "it serves again");
      const falls = coordinator(cluster);
      cluster.kill(falls);
      // To it only names count, to the others ranks: each may wait for the next.
      expectOffice(cluster, falls, longestElectionMs);
    },
  );

  test("a higher rank that is still catching up", () => {
    const cluster = servingCluster(3);
    const first = coordinator(cluster);
    for (const server of others(cluster, first)) server.core.catchUp.advance = () => false;
    const [slow, other] = others(cluster, first) as [VirtualServer, VirtualServer];
    cluster.kill(slow);
    cluster.start(slow);
    slow.core.catchUp.advance = () => false;
    cluster.runUntil(() => other.core.replication.hasLiveQuorum(cluster.time.nowMs), "a quorum");
    cluster.kill(first);
    expectOffice(cluster, first);
    expect(inOffice(cluster)).toEqual([other]);
  });

  test("a coordinator that leaves and, without the reference, can't", () => {
    const cluster = servingCluster(3);
    const first = coordinator(cluster);
    cluster.stopReference();
    cluster.stop(first, { leave: true });
    expectOffice(cluster, first);
    expect(first.isRunning).toBe(true);
  });
});

describe("[E2] what counts", () => {
  const standing = (server: VirtualServer) => {
    const { ledger, clock, replication } = server.core;
    return {
      server: server.name,
      clock: clock.value + 1,
      view: replication.view,
      durable: ledger.snapshot(),
    };
  };

  test("an accept counts only from who was asked", () => {
    const cluster = servingCluster(5);
    const first = coordinator(cluster);
    const [near, ...far] = others(cluster, first) as [VirtualServer, ...VirtualServer[]];
    for (const { name } of far) cluster.network.partition([first.name, near.name], [name]);
    const { coordination, state } = first.core;
    cluster.ask(first, "register", { user: "eva", password: "x", id: "a" });
    const claim = () => [...state.accounts.claims()].find(({ user }) => user === "eva");
    cluster.runUntil(() => claim() !== undefined, "it is proposed");
    const seq = claim()?.seq ?? 0;
    const isHeld = () => (near.core.ledger.durable[first.name] ?? 0) >= seq;
    cluster.runUntil(isHeld, "two of five have it on disk");
    cluster.runFor(2 * durations.askAgainMs);
    const epoch = coordination.office ?? { view: 0, term: 0 };
    // At the address of one that is gone answers another.
    const request = { ...standing(first), service: "accept", epoch, seq } as const;
    const fields = { service: "accept", isGranted: true, promised: epoch } as const;
    const answer = { ...standing(near), ...fields } as OfficeAnswer;
    const from = (far[0] as VirtualServer).name;
    cluster.hand(first, { type: "officeAnswer", from, request, answer });
    expect(coordination.committed).toBeLessThan(seq);
    cluster.network.heal();
    cluster.runUntil(() => coordination.committed >= seq, "three of five have accepted it");
  });

  test("a term that nobody can have come to is not believed", () => {
    const cluster = servingCluster(3);
    const first = coordinator(cluster);
    const [second] = others(cluster, first) as [VirtualServer];
    const { office } = first.core.coordination;
    const view = first.core.replication.view.number;
    const ask = (term: number) =>
      cluster.hand(first, {
        type: "officeRequest",
        to: () => {},
        request: { ...standing(second), service: "election", epoch: { view, term } },
      });
    ask(Number.MAX_SAFE_INTEGER);
    ask((office?.term ?? 0) + limits.termsAhead + 1);
    expect(first.core.coordination.office).toEqual(office);
    ask((office?.term ?? 0) + limits.termsAhead);
    expect(first.core.coordination.office).toBeUndefined();
  });
});

describe("[E3] passwords", () => {
  test("each goes with its own claim, whatever ids their clients chose", () => {
    const cluster = servingCluster(3);
    const first = coordinator(cluster);
    const [other] = others(cluster, first) as [VirtualServer];
    const claim = (user: string, password: string) =>
      cluster.ask(other, "register", { user, password, id: "1" });
    const credentialOf = (user: string) =>
      [...first.core.state.accounts.claims()].find((each) => each.user === user)?.credential;
    other.hashMs = 30;
    for (let gapMs = 0; gapMs < 12; gapMs += 1) {
      // Somewhere on the way the first turns out to be taken, its password still being hashed.
      const ana = `ana${gapMs}`;
      cluster.ask(first, "register", { user: ana, password: "hers", id: `ana${gapMs}` });
      cluster.runFor(gapMs);
      const late = claim(ana, "another's");
      cluster.runFor(1);
      const bia = claim(`bia${gapMs}`, "bias");
      const asked = [late, bia];
      cluster.runUntil(() => asked.every(({ reply }) => reply !== undefined), "all are answered");
      expect(bia.reply).toMatchObject({ status: "OK" });
      expect(credentialOf(`bia${gapMs}`)).toBe("hash of bias");
      expect(credentialOf(ana)).toBe("hash of hers");
    }
  });

  test("more than can be hashed in time are refused at once, and it goes on after them", () => {
    const cluster = servingCluster(3);
    const [server] = others(cluster, coordinator(cluster)) as [VirtualServer];
    const asked = Array.from({ length: 2 * limits.unhashedClaims }, (_, at) =>
      cluster.ask(server, "register", { user: `user${at}`, password: "x" }),
    );
    const refused = asked.filter(({ reply }) => reply !== undefined);
    expect(refused.length).toBeGreaterThanOrEqual(limits.unhashedClaims - limits.hashesAtOnce);
    for (const { reply } of refused) {
      expect(reply).toMatchObject({ code: "unavailable", retry: true });
    }
    cluster.runUntil(() => asked.every(({ reply }) => reply !== undefined), "all are answered");
    const won = asked.filter(({ reply }) => reply?.status === "OK");
    expect(won.length + refused.length).toBe(asked.length);
    const again = cluster.request(server, "register", { user: "late", password: "x" });
    expect(again).toMatchObject({ status: "OK" });
  });
});

describe("[E5] whose word on the time counts", () => {
  test.each(["in office", "a member"])("%s, stopped again and again, moves nobody far", (who) => {
    const cluster = servingCluster(3);
    const first = coordinator(cluster);
    cluster.runFor(3 * durations.clockRoundMs);
    const stopped = who === "in office" ? first : (others(cluster, first)[0] as VirtualServer);
    const spread = () => {
      const times = cluster.servers.map((server) => cluster.correctedMs(server));
      return Math.max(...times) - Math.min(...times);
    };
    let widest = 0;
    for (let times = 0; times < 300; times += 1) {
      cluster.freeze(stopped);
      cluster.runFor(300);
      cluster.thaw(stopped);
      cluster.runFor(97);
      widest = Math.max(widest, spread());
    }
    expect(widest).toBeLessThanOrEqual(20);
  });

  test("only who is in office corrects", () => {
    const cluster = servingCluster(3);
    const first = coordinator(cluster);
    cluster.runFor(2 * durations.clockRoundMs);
    const [server, third] = others(cluster, first) as [VirtualServer, VirtualServer];
    const before = server.core.clockSync.rounds;
    const { view } = server.core.replication;
    for (const correctionMs of [undefined, 5_000]) {
      cluster.hand(server, {
        type: "officeRequest",
        to: () => {},
        request: {
          service: "clock",
          server: third.name,
          clock: server.core.clock.value + 1,
          view,
          durable: {},
          round: 77,
          correctionMs,
        },
      });
    }
    expect(server.core.clockSync.rounds).toBe(before);
  });
});
