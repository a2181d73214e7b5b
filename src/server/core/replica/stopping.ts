import type { ServerName } from "../../../protocol/ids.ts";
import { durations } from "../../../protocol/limits.ts";
import { covers, type MutableVector, raise } from "../../../protocol/vector.ts";
import type { Now } from "../effects.ts";
import type { CatchUp } from "./catch-up.ts";
import type { Ledger } from "./ledger.ts";
import type { Peer, Replication } from "./replication.ts";

export type StopStep = "wait" | "say that it has settled" | "ask for leave" | "finish";

/**
 * Decides the steps of a stop (R11). The server finishes its open requests, leaves the rotation,
 * and makes sure that its peers have all its events. If it must leave the view, it waits until it
 * is out of the view.
 *
 *     draining ──(nothing open)──▶ settled ──(peers agree)──▶ [leaving] ──▶ stopped
 */
export class Stopping {
  readonly #name: ServerName;
  readonly #leave: boolean;
  readonly #sinceMs: number;
  readonly #ledger: Ledger;
  readonly #replication: Replication;
  readonly #catchUp: CatchUp;
  /**
   * The peers heard since this server settled. This server waits until it has all events that these
   * peers had on disk when they were heard (`#target`).
   */
  readonly #heard = new Set<ServerName>();
  readonly #target: MutableVector = {};
  #settledMs: number | undefined;
  #leaveAskedMs = Number.NEGATIVE_INFINITY;
  /**
   * Whether the stop ended without leaving the view, because the reference did not confirm the
   * leave in time.
   */
  isLate = false;

  constructor(
    parts: { name: ServerName; ledger: Ledger; replication: Replication; catchUp: CatchUp },
    leave: boolean,
    now: Now,
  ) {
    this.#name = parts.name;
    this.#ledger = parts.ledger;
    this.#replication = parts.replication;
    this.#catchUp = parts.catchUp;
    this.#leave = leave;
    this.#sinceMs = now.steadyMs;
    this.#catchUp.phase = "draining";
  }

  /**
   * Whether this server may become a member of the view: false if it leaves the view when it stops.
   */
  get mayBeMember(): boolean {
    return !this.#leave;
  }

  /**
   * Whether new requests are refused. The refusal begins `durations.patienceMs` after the beginning
   * of the stop. Without this refusal, a busy server would always have open requests, and so never
   * leave the rotation.
   */
  refuses(now: Now): boolean {
    return now.steadyMs - this.#sinceMs >= durations.patienceMs;
  }

  hear(peer: Peer): void {
    if (this.#settledMs === undefined || this.#heard.has(peer.name)) return;
    this.#heard.add(peer.name);
    raise(this.#target, peer.durable);
  }

  /** @param open whether clients can reach the server or wait for its answers */
  next(open: boolean, now: Now): StopStep {
    if (this.#settledMs === undefined) {
      const late = now.steadyMs - this.#sinceMs > durations.drainMs;
      if ((open || !this.#ledger.allDurable) && !late) return "wait";
      this.#catchUp.phase = "settled";
      this.#settledMs = now.steadyMs;
      return "say that it has settled";
    }
    const settledForMs = now.steadyMs - this.#settledMs;
    if (!this.#peersAgree(now) && settledForMs <= durations.settleMs) return "wait";
    // The last member never leaves, because a cluster without members could not begin again.
    const isLast = this.#replication.view.members.every((member) => member === this.#name);
    if (!this.#leave || isLast) return "finish";
    if (settledForMs > durations.leaveMs) {
      this.isLate = true;
      return "finish";
    }
    if (now.steadyMs - this.#leaveAskedMs < 2 * durations.pollMs) return "wait";
    this.#leaveAskedMs = now.steadyMs;
    return "ask for leave";
  }

  /**
   * Whether this server and the live members have the same events. Each live member must have been
   * heard since this server settled, and must have all events of this server. This server must have
   * all events that the members had on disk when they were heard. A member that has settled makes
   * no more events, so this server must have all of its events. So after a stop of the whole
   * cluster, the files of all servers are equal.
   */
  #peersAgree(now: Now): boolean {
    const { durable } = this.#ledger;
    return this.#replication.liveMembers(now.steadyMs).every((member) => {
      if (member === this.#name) return covers(durable, this.#target);
      const peer = this.#replication.peer(member);
      if (!this.#heard.has(member) || peer.phase === "draining") return false;
      if (peer.phase === "settled" && !covers(durable, peer.durable)) return false;
      return covers(peer.durable, durable);
    });
  }
}
