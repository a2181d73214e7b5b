import type { ServerName } from "../../../protocol/ids.ts";
import { durations } from "../../../protocol/limits.ts";
import { covers, type MutableVector, raise } from "../../../protocol/vector.ts";
import type { Now } from "../effects.ts";
import type { CatchUp } from "./catch-up.ts";
import type { Ledger } from "./ledger.ts";
import type { Peer, Replication } from "./replication.ts";

/** What a stopping server must do now. */
export type StopStep = "wait" | "say that it has settled" | "ask for leave" | "finish";

/**
 * The end of a server (R11): it finishes its open requests, leaves the rotation, and makes sure that
 * its peers have what it has. If told to leave, it also waits until it is out of the view.
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
  /** The peers heard since it settled. It waits until it has what they then had on disk. */
  readonly #heard = new Set<ServerName>();
  readonly #target: MutableVector = {};
  #settledMs: number | undefined;
  #leaveAskedMs = Number.NEGATIVE_INFINITY;
  /** Whether it ended because no leave came in time. */
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

  /** A server that is about to leave must not become a member. */
  get mayBeMember(): boolean {
    return !this.#leave;
  }

  /** It leaves at the first moment with nothing open; under load it gets there by refusing. */
  refuses(now: Now): boolean {
    return now.steadyMs - this.#sinceMs >= durations.patienceMs;
  }

  hear(peer: Peer): void {
    if (this.#settledMs === undefined || this.#heard.has(peer.name)) return;
    this.#heard.add(peer.name);
    raise(this.#target, peer.durable);
  }

  /** @param open whether requests are still open */
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
    // The last member never leaves: without it the cluster could not begin again.
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
   * Whether each live member was heard and has all that this server has, and this server has what
   * they had when heard; of members that stop too, all that they will ever have. Then the files of a
   * cluster that is stopped as a whole are equal.
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
