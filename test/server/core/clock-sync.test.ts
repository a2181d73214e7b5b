import { describe, expect, test } from "vitest";
import { durations } from "../../../src/protocol/limits.ts";
import type {
  CoordinationAnswer,
  CoordinationRequest,
  ReplicaSummary,
} from "../../../src/protocol/peer-messages.ts";
import { ClockSync } from "../../../src/server/core/coordinator/clock-sync.ts";
import { type Effect, Effects } from "../../../src/server/core/effects.ts";
import type { Replica } from "../../../src/server/core/replica/replica.ts";
import { coordinator, others } from "../../support/coordinators.ts";
import { CoreCluster } from "../../support/core-cluster.ts";
import { serverName } from "../../support/event-lines.ts";
import type { VirtualServer } from "../../support/virtual-server.ts";

const [own, near, far] = [serverName(1), serverName(2), serverName(3)];
const now = (steadyMs: number) => ({ steadyMs, wallMs: 1_000_000 + steadyMs });

/** A coordinator's `ClockSync` that has asked its two peers for their time at time 0. */
function inRound() {
  const summary = (): ReplicaSummary => {
    return { server: own, clock: 1, view: { number: 3, members: [own, near, far] }, durable: {} };
  };
  const replication = {
    liveMembers: () => [own, near, far],
    peer: (name: string) => ({ name, address: `ipc://${name}`, offsetMs: 0 }),
  };
  const effects = new Effects();
  const replica = { name: own, replication, effects, summary } as unknown as Replica;
  const clock = new ClockSync(replica);
  clock.advance(now(0), true);
  const asked = effects.take().flatMap(clockRequests);
  return { clock, summary, asked, effects };
}

type ClockRequest = CoordinationRequest & { readonly service: "clock" };

function clockRequests(effect: Effect): { peer: string; request: ClockRequest }[] {
  if (effect.type !== "askPeer" || effect.request.service !== "clock") return [];
  return [{ peer: effect.peer, request: effect.request }];
}

describe("a round of clock synchronisation", () => {
  test("[E5] the coordinator includes its own clock in the average, and reports its own correction", () => {
    const { clock, summary, asked } = inRound();
    expect(clock).toMatchObject({ rounds: 0, lastCorrectionMs: undefined });
    const request = asked[0]?.request as ClockRequest;
    for (const server of [near, far]) {
      const timeMs = now(0).wallMs - 30;
      const answer: CoordinationAnswer = {
        ...summary(),
        server,
        service: "clock",
        timeMs,
        isCorrected: false,
      };
      clock.onAnswer({ from: server, request, answer }, now(0));
    }
    expect(clock).toMatchObject({ rounds: 1, lastCorrectionMs: -20 });
  });

  test.each([
    { roundTripMs: durations.clockRoundTripMs, corrections: { [near]: -50, [far]: 20 } },
    { roundTripMs: durations.clockRoundTripMs + 1, corrections: { [near]: -40 } },
  ])(
    "[E5] the coordinator averages only clocks whose answers took at most 40 ms; here one answer took $roundTripMs ms",
    ({ roundTripMs, corrections }) => {
      const { clock, summary, asked, effects } = inRound();
      expect(asked.map(({ peer }) => peer)).toEqual([near, far]);
      const request = asked[0]?.request as ClockRequest;
      const tell = (from: typeof near, aheadMs: number, tripMs: number) => {
        const at = now(tripMs);
        const timeMs = at.wallMs + aheadMs - tripMs / 2;
        const fields = { service: "clock", timeMs, isCorrected: false } as const;
        const answer: CoordinationAnswer = { ...summary(), server: from, ...fields };
        clock.onAnswer({ from, request, answer }, at);
        return effects.take();
      };
      // The clocks are 0, 80 and 10 ms ahead: the mean is 30 ms, or 40 ms without the late answer.
      expect(tell(near, 80, 10)).toEqual([]);
      const told = tell(far, 10, roundTripMs).flatMap(clockRequests);
      const corrected = told.map(({ peer, request: { correctionMs } }) => [peer, correctionMs]);
      expect(Object.fromEntries(corrected)).toEqual(corrections);
    },
  );
});

/** Three servers whose clocks agree to 5 ms. */
function agreed(): CoreCluster {
  const cluster = new CoreCluster({ servers: 3 });
  cluster.runUntilServing();
  coordinator(cluster);
  cluster.runFor(2 * durations.clockRoundMs);
  expect(spreadMs(cluster)).toBeLessThanOrEqual(5);
  return cluster;
}

function spreadMs(cluster: CoreCluster): number {
  const times = cluster.servers.map((server) => cluster.correctedMs(server));
  return Math.max(...times) - Math.min(...times);
}

describe("servers that agree on the time", () => {
  test("[E5] the clocks of servers stay within 20 ms of each other while one server pauses again and again", () => {
    const cluster = agreed();
    const first = coordinator(cluster);
    const [member] = others(cluster, first) as [VirtualServer];
    for (let pause = 0; pause < 150; pause += 1) {
      cluster.freeze(member);
      cluster.runFor(300);
      cluster.thaw(member);
      cluster.runFor(97);
      expect(spreadMs(cluster)).toBeLessThanOrEqual(20);
    }
    expect(coordinator(cluster)).toBe(first);
  });

  test("[E5] a server answers only clock requests from its own coordinator, and applies only corrections from that coordinator", () => {
    const cluster = agreed();
    const first = coordinator(cluster);
    const [member, stranger] = others(cluster, first) as [VirtualServer, VirtualServer];
    const tell = (from: VirtualServer, correctionMs?: number) => {
      const answers: CoordinationAnswer[] = [];
      const { view, committed } = from.core.replication;
      const clock = member.core.clock.value + 1_000;
      const office = from.core.election.ownEpoch;
      const summary = { server: from.name, clock, view, durable: { ...committed }, office };
      const request = { service: "clock", ...summary, round: 77, correctionMs } as const;
      const to = (answer: CoordinationAnswer) => answers.push(answer);
      cluster.hand(member, { type: "coordinationRequest", to, request });
      return answers.map(({ service }) => service);
    };
    const { rounds } = member.core.clockSync;
    expect([...tell(stranger), ...tell(stranger, 5_000)]).toEqual([]);
    expect(member.core.clockSync.rounds).toBe(rounds);
    expect(tell(first)).toEqual(["clock"]);
    expect(tell(stranger, 5_000)).toEqual([]);
    expect(member.core.clockSync.rounds).toBe(rounds);
    expect(tell(first, 5)).toEqual(["clock"]);
    expect(member.core.clockSync.rounds).toBe(rounds + 1);
    expect(member.core.clockSync.lastCorrectionMs).toBe(5);
  });
});
