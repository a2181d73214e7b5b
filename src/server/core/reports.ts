import { limits } from "../../protocol/limits.ts";
import type { HeartbeatReport, Listed, SelfReport } from "../../protocol/reference-messages.ts";
import type { StatusReply } from "../../protocol/replies.ts";
import { lag, raise } from "../../protocol/vector.ts";
import type { ClockSync } from "./coordinator/clock-sync.ts";
import type { Election } from "./coordinator/election.ts";
import type { Deciding } from "./deciding.ts";
import type { DecisionLog } from "./decisions/decision-log.ts";
import type { Now } from "./effects.ts";
import { Rate } from "./replica/rate.ts";
import type { Replica } from "./replica/replica.ts";
import type { Rotation } from "./replica/rotation.ts";
import type { Serving } from "./serving/serving.ts";

interface ReportParts {
  /** The address at which the peers reach this server's peer link. */
  readonly address: string;
  readonly replica: Replica;
  readonly rotation: Rotation;
  readonly log: DecisionLog;
  readonly deciding: Deciding;
  readonly election: Election;
  readonly clockSync: ClockSync;
  readonly serving: Serving;
  /** What the shell tells about this process. Its values change, so each report reads them again. */
  readonly self: SelfReport | undefined;
}

/**
 * Makes this server's reports: heartbeats to peers and reference, and the status of the cluster.
 */
export class Reports {
  /** The rate of clients' requests. */
  readonly rate = new Rate();
  readonly #parts: ReportParts;

  constructor(parts: ReportParts) {
    this.#parts = parts;
  }

  heartbeat(now: Now): void {
    const { address, replica, rotation, log, deciding, clockSync, serving, self } = this.#parts;
    const { ledger, replication, catchUp, effects } = replica;
    replica.noteHeartbeat(now);
    replica.broadcast({
      ...replica.summary(),
      type: "heartbeat",
      address,
      phase: catchUp.phase,
      chains: { ...ledger.durableChains },
      rate: this.rate.look(now.steadyMs),
      offsetMs: clockSync.rounds === 0 ? undefined : clockSync.offsetMs(now),
      lastCorrectionMs: clockSync.lastCorrectionMs,
      clockRounds: clockSync.rounds,
      takesAcks: true,
      takesHooks: true,
      applied: { slot: log.applied, digest: log.head.digest },
    });
    const report: HeartbeatReport = {
      user: replica.name,
      address,
      role: "server",
      view: replication.view,
      // A server that misses events reports no vector, so that the reference does not count on this
      // disk (rule (b) of the view).
      durable: replica.missesEvents ? undefined : ledger.snapshot(),
      ready: rotation.mayBeMember,
      ...self,
      disbelievedClocks: serving.disbelievedClocks,
      decisionFaults: deciding.faults,
    };
    effects.add({ type: "heartbeat", report, clock: replica.clock.tick() });
  }

  /** Returns the status of the cluster as this server knows it (Q10). */
  status(now: Now): StatusReply {
    const { address, replica, election, deciding, clockSync, serving } = this.#parts;
    const { replication, list } = replica;
    const own = {
      address,
      phase: replica.catchUp.phase,
      clock: replica.clock.value,
      rate: this.rate.perSecond,
      offsetMs: clockSync.offsetMs(now),
      lastCorrectionMs: clockSync.lastCorrectionMs,
      clockRounds: clockSync.rounds,
    };
    const coordinator = election.current(now);
    const ranks = new Map(list.map(({ name, rank }) => [name, rank]));
    const names = new Set([replica.name, ...replication.peers.keys()]);
    /** For each server, the highest `seq` in the durable vectors of all known servers. */
    const all = { ...replication.durableOf(replica.name) };
    for (const peer of replication.peers.values()) raise(all, peer.durable);
    const members = [...names].sort().map((name) => {
      const known = name === replica.name ? own : replication.peer(name);
      const durable = replication.durableOf(name);
      return {
        name,
        rank: ranks.get(name) ?? null,
        address: known.address,
        member: replication.view.members.includes(name),
        live: replication.isLive(name, now.steadyMs),
        silentMs: inTenths(replication.silenceMs(name, now.steadyMs)),
        phase: known.phase,
        lag: lag(durable, all),
        durable,
        clock: known.clock,
        offsetMs: inTenths(known.offsetMs),
        lastCorrectionMs: inTenths(known.lastCorrectionMs),
        clockRounds: known.clockRounds ?? null,
        rate: known.rate,
      };
    });
    return {
      members,
      processes: withFewGuests(list),
      coordinator: coordinator?.name ?? null,
      epoch: coordinator?.epoch ?? null,
      view: replication.view,
      committed: { ...replication.committed },
      ...this.#parts.self,
      disbelievedClocks: serving.disbelievedClocks,
      decisionFaults: deciding.faults,
    };
  }
}

function inTenths(ms: number | undefined): number | null {
  return ms === undefined || !Number.isFinite(ms) ? null : Math.round(ms * 10) / 10;
}

/**
 * Returns the list with at most `limits.statusGuests` guests. Any process can enter the reference's
 * list, and anybody may ask for the status, so the status could otherwise grow without limit.
 */
export function withFewGuests(list: readonly Listed[]): Listed[] {
  let guests = 0;
  return list.filter(({ isKnown }) => {
    if (isKnown !== true) guests += 1;
    return isKnown === true || guests <= limits.statusGuests;
  });
}
