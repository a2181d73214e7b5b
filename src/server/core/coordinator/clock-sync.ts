import type { ServerName } from "../../../protocol/ids.ts";
import { durations } from "../../../protocol/limits.ts";
import type { CoordinationRequest } from "../../../protocol/peer-messages.ts";
import type { Answered, Now } from "../effects.ts";
import type { Replica } from "../replica/replica.ts";
import type { Peer } from "../replica/replication.ts";

type ClockRequest = CoordinationRequest & { readonly service: "clock" };

/** The largest change of a clock's speed: at 0.1, a correction of one second takes ten seconds. */
const slewRate = 0.1;

interface Round {
  readonly number: number;
  readonly sinceMs: number;
  readonly asked: Set<ServerName>;
  /**
   * For each member, by how many milliseconds its clock is ahead of this server's clock, and
   * whether an earlier round corrected its clock.
   */
  readonly clocks: Map<ServerName, { readonly aheadMs: number; readonly isCorrected: boolean }>;
}

/**
 * Keeps the cluster's time (E5). The coordinator asks each member for its clock, adds half the
 * round trip to the answer, leaves out clocks far from the median, and sends each server its
 * correction. A server's time never runs backwards: it runs faster or slower than its own clock
 * until the correction is complete.
 * Source: R. Gusella and S. Zatti, "The Accuracy of the Clock Synchronization Achieved by TEMPO in
 * Berkeley UNIX 4.3BSD", 1989.
 */
export class ClockSync {
  /**
   * The number of rounds that corrected this server's time, including rounds that it led as
   * coordinator.
   */
  rounds = 0;
  /**
   * The correction of the last round in milliseconds: above zero if this server was behind the
   * average.
   */
  lastCorrectionMs: number | undefined;
  readonly #replica: Replica;
  /**
   * The correction of this server's clock in milliseconds: `#offsetMs` at the steady time
   * `#sinceMs`, and `#targetMs` once the correction is complete.
   */
  #offsetMs = 0;
  #targetMs = 0;
  #sinceMs: number | undefined;
  /** The highest time that `correctedMs` has returned. */
  #givenMs = 0;
  /**
   * The last round in which this server sent its time, and the `#offsetMs` that the sent time
   * included.
   */
  #said: { readonly round: number; readonly offsetMs: number } | undefined;
  #round: Round | undefined;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(replica: Replica) {
    this.#replica = replica;
  }

  /** The cluster's time in milliseconds since 1970; never lower than an earlier result. */
  correctedMs(now: Now): number {
    this.#givenMs = Math.max(this.#givenMs, Math.round(now.wallMs + this.offsetMs(now)));
    return this.#givenMs;
  }

  /** How far the corrected time is ahead of this server's own clock, in milliseconds. */
  offsetMs({ steadyMs }: Now): number {
    const mostMs = slewRate * (steadyMs - (this.#sinceMs ?? steadyMs));
    this.#sinceMs = steadyMs;
    const leftMs = this.#targetMs - this.#offsetMs;
    this.#offsetMs += Math.max(-mostMs, Math.min(mostMs, leftMs));
    return this.#offsetMs;
  }

  /**
   * Handles the coordinator's request for this server's time, or the coordinator's correction.
   * @returns this server's time in milliseconds since 1970
   */
  onRequest({ round, correctionMs }: ClockRequest, now: Now): number {
    const offsetMs = this.offsetMs(now);
    if (correctionMs === undefined) this.#said = { round, offsetMs };
    else if (this.#said?.round === round) this.#correct(this.#said.offsetMs, correctionMs);
    return now.wallMs + offsetMs;
  }

  /**
   * Sets the target of the correction to `fromMs + correctionMs`. The first correction of a process
   * takes effect at once, because hardly any event has a time from this process yet.
   */
  #correct(fromMs: number, correctionMs: number): void {
    this.#targetMs = fromMs + correctionMs;
    if (this.rounds === 0) this.#offsetMs = this.#targetMs;
    this.rounds += 1;
    this.lastCorrectionMs = correctionMs;
    this.#said = undefined;
  }

  onAnswer({ from, request, answer }: Answered<ClockRequest>, now: Now): void {
    const round = this.#round;
    if (request.correctionMs !== undefined || round?.number !== request.round) return;
    if (!round.asked.delete(from)) return;
    const roundTripMs = now.steadyMs - round.sinceMs;
    // After a long round trip, half of it is a poor estimate of the answer's age, so the member's
    // clock is left out of this round.
    if (answer?.service === "clock" && roundTripMs <= durations.clockRoundTripMs) {
      const theirsMs = answer.timeMs + roundTripMs / 2;
      const aheadMs = theirsMs - (now.wallMs + this.offsetMs(now));
      round.clocks.set(from, { aheadMs, isCorrected: answer.isCorrected });
    }
    if (round.asked.size === 0) this.#finish(round, now);
  }

  advance(now: Now, isCoordinator: boolean): void {
    if (!isCoordinator) {
      this.#round = undefined;
      return;
    }
    const round = this.#round;
    if (round !== undefined) {
      if (now.steadyMs - round.sinceMs >= durations.clockAnswerMs) this.#finish(round, now);
      return;
    }
    const { replication, name } = this.#replica;
    const others = replication
      .liveMembers(now.steadyMs)
      .filter((member) => member !== name)
      .map((member) => replication.peer(member))
      .filter(({ address }) => address !== "");
    // While any server has never been corrected, rounds begin after a shorter pause.
    const isNewcomer = this.rounds === 0 || others.some(({ offsetMs }) => offsetMs === undefined);
    const pauseMs = isNewcomer ? durations.clockAnswerMs : durations.clockRoundMs;
    if (now.steadyMs - this.#lastMs >= pauseMs) this.#begin(others, now);
  }

  #begin(others: readonly Peer[], now: Now): void {
    const { clock: number } = this.#replica.summary();
    this.#lastMs = now.steadyMs;
    const asked = new Set(others.map((peer) => peer.name));
    this.#round = { number, sinceMs: now.steadyMs, asked, clocks: new Map() };
    if (others.length === 0) return this.#finish(this.#round, now);
    for (const { name } of others) this.#tell(name, number, undefined);
  }

  /**
   * Averages the clocks and sends the corrections. If earlier rounds corrected some clocks, only
   * these clocks count, because they show the cluster's time. So a new server follows the cluster's
   * time and does not change it.
   */
  #finish({ number, clocks }: Round, now: Now): void {
    this.#round = undefined;
    const all = [{ aheadMs: 0, isCorrected: this.rounds > 0 }, ...clocks.values()];
    const corrected = all.filter(({ isCorrected }) => isCorrected);
    const counted = corrected.length > 0 ? corrected : all;
    const averageMs = averageOf(counted.map(({ aheadMs }) => aheadMs));
    this.#correct(this.offsetMs(now), averageMs);
    for (const [member, { aheadMs }] of clocks) this.#tell(member, number, averageMs - aheadMs);
  }

  #tell(peer: ServerName, round: number, correctionMs: number | undefined): void {
    const { replication, effects } = this.#replica;
    const { address } = replication.peer(peer);
    const request = { service: "clock", ...this.#replica.summary(), round, correctionMs } as const;
    const patienceMs = durations.clockAnswerMs;
    effects.add({ type: "askPeer", peer, address, request, patienceMs });
  }
}

/** The mean of the values that are within `durations.clockOutlierMs` of the median. */
function averageOf(valuesMs: readonly number[]): number {
  const sorted = [...valuesMs].sort((a, b) => a - b);
  const median = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
  const near = sorted.filter((value) => Math.abs(value - median) <= durations.clockOutlierMs);
  return near.reduce((sum, value) => sum + value, 0) / Math.max(1, near.length);
}
