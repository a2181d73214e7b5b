import type { HeartbeatReport, RefusedMessages } from "../../protocol/reference-messages.ts";
import type { ClockSync } from "./coordinator/clock-sync.ts";
import type { Election } from "./coordinator/election.ts";
import type { Effects, Now } from "./effects.ts";
import type { Rate } from "./replica/rate.ts";
import type { Replica } from "./replica/replica.ts";
import type { Rotation } from "./replica/rotation.ts";
import { describeCluster } from "./replica/status.ts";

export interface ReportParts {
  /** Where the peers reach this server's peer link. */
  readonly address: string;
  readonly replica: Replica;
  readonly rotation: Rotation;
  readonly election: Election;
  readonly clockSync: ClockSync;
  readonly rate: Rate;
  readonly effects: Effects;
  readonly refused: Readonly<RefusedMessages>;
  disbelievedClocks(): number;
}

/** What a server tells of itself: to its peers and the reference, and to a person who asks. */
export class Reports {
  readonly #parts: ReportParts;

  constructor(parts: ReportParts) {
    this.#parts = parts;
  }

  heartbeat(now: Now): void {
    const { address, replica, rotation, clockSync, rate, effects, refused } = this.#parts;
    const { ledger, replication, catchUp } = replica;
    replica.noteHeartbeat(now);
    replica.broadcast({
      ...replica.summary(),
      type: "heartbeat",
      address,
      phase: catchUp.phase,
      chains: { ...ledger.durableChains },
      rate: rate.look(now.steadyMs),
      offsetMs: clockSync.rounds === 0 ? undefined : clockSync.offsetMs(now),
      lastCorrectionMs: clockSync.lastCorrectionMs,
      clockRounds: clockSync.rounds,
    });
    const report: HeartbeatReport = {
      user: replica.name,
      address,
      role: "server",
      view: replication.view,
      // A server that lost something says nothing of its disk: rule (b) must not be told too little.
      durable: replica.missesEvents ? undefined : ledger.snapshot(),
      ready: rotation.mayBeMember,
      refused,
      disbelievedClocks: this.#parts.disbelievedClocks(),
    };
    effects.add({ type: "heartbeat", report, clock: replica.clock.tick() });
  }

  status(now: Now): ReturnType<typeof describeCluster> {
    const { address, replica, election, clockSync, rate, refused } = this.#parts;
    const self = {
      name: replica.name,
      address,
      phase: replica.catchUp.phase,
      clock: replica.clock.value,
      rate: rate.perSecond,
      disbelievedClocks: this.#parts.disbelievedClocks(),
      refused,
      offsetMs: clockSync.offsetMs(now),
      lastCorrectionMs: clockSync.lastCorrectionMs,
      clockRounds: clockSync.rounds,
    };
    const coordinator = election.current(now);
    return describeCluster({ self, coordinator, list: replica.list }, replica.replication, now);
  }
}
