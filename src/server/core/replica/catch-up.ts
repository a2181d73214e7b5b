import type { ServerName } from "../../../protocol/ids.ts";
import { durations } from "../../../protocol/limits.ts";
import type { Phase } from "../../../protocol/peer-messages.ts";
import { covers, emptyVector, type Vector } from "../../../protocol/vector.ts";
import { quorumOf } from "../../../protocol/view.ts";
import type { Ledger } from "./ledger.ts";
import type { Peer, Replication } from "./replication.ts";

/** What this server asked one peer for, and what it must ask next. */
interface SyncState {
  /** Steady time of the open request. */
  sinceMs: number | undefined;
  lastMs: number;
  /** Requests in a row without an answer. */
  failures: number;
  /** Ask again once this is on disk: the request acknowledges what came. */
  again: Vector | undefined;
  /** A line of the peer left a gap. */
  gap: boolean;
  /** What the peer had a while ago: a live server asks only for what it has missed since then. */
  mark: Vector;
  markMs: number;
}

/**
 * How a server reaches what others have:
 *
 *     backfill ──(a page was the last)──▶ cutover ──(covers what a quorum had)──▶ live
 *         ▲                                                                        │
 *         └────────────────(no quorum heard for 1.5 s, or out of the view)─────────┘
 */
export class CatchUp {
  phase: Phase = "backfill";
  /** What each member had on disk when it was first heard in this phase. */
  readonly #targets = new Map<ServerName, Vector>();
  readonly #asked = new Map<ServerName, SyncState>();
  readonly #name: ServerName;
  readonly #ledger: Ledger;
  readonly #replication: Replication;

  constructor(name: ServerName, ledger: Ledger, replication: Replication) {
    this.#name = name;
    this.#ledger = ledger;
    this.#replication = replication;
  }

  get isStopping(): boolean {
    return this.phase === "draining" || this.phase === "settled";
  }

  restart(): void {
    if (this.isStopping) return;
    this.phase = "backfill";
    this.#targets.clear();
  }

  /** A member's vector counts towards the target once, so that the target does not keep rising. */
  hear(peer: Peer): void {
    if (this.#targets.has(peer.name)) return;
    if (!this.#replication.view.members.includes(peer.name)) return;
    this.#targets.set(peer.name, peer.durable);
  }

  /**
   * Whether the server may now serve, or become a member: it covers what a quorum had. It does not
   * wait for a member that has fallen silent since: what only that one had may never come back.
   */
  #isCaughtUp(steadyMs: number): boolean {
    const { view, adopting } = this.#replication;
    if (adopting !== undefined || this.#ledger.missesEvents) return false;
    if (view.number === 0) return true;
    const targets = this.#replication
      .liveMembers(steadyMs)
      .map((member) => (member === this.#name ? emptyVector : this.#targets.get(member)))
      .filter((target) => target !== undefined);
    const { durable } = this.#ledger;
    return targets.length >= quorumOf(view) && targets.every((target) => covers(durable, target));
  }

  /** Becomes live if nothing is missing. @returns whether it did */
  advance(steadyMs: number): boolean {
    if (this.isStopping || this.phase === "live" || !this.#isCaughtUp(steadyMs)) return false;
    this.phase = "live";
    return true;
  }

  /** The peer has just told of events that are missing here: so it answers again. */
  sawGap(name: ServerName): void {
    const asked = this.#of(name);
    asked.gap = true;
    asked.failures = 0;
  }

  /** Whether to fetch from the peer; what it has just sent is on its way already. */
  #lacks(peer: Peer, asked: SyncState, steadyMs: number): boolean {
    if (asked.gap || this.phase !== "live") return !covers(this.#ledger.held, peer.durable);
    if (steadyMs - asked.markMs < durations.pollMs) return false;
    const missed = !covers(this.#ledger.held, asked.mark);
    asked.mark = peer.durable;
    asked.markMs = steadyMs;
    return missed;
  }

  /**
   * The peers to ask now: one for what is missing, and each that is silent on `replication`.
   * @param fetchesState whether a saved state is being fetched instead
   */
  due(steadyMs: number, fetchesState: boolean): Peer[] {
    const due: Peer[] = [];
    let fetching =
      fetchesState || [...this.#asked.values()].some((asked) => this.#isOpen(asked, steadyMs));
    for (const peer of this.#replication.peers.values()) {
      if (peer.address === "") continue;
      const asked = this.#of(peer.name);
      if (this.#isOpen(asked, steadyMs)) continue;
      const silent = steadyMs - peer.broadcastMs > durations.pollAfterMs;
      const waitMs = durations.pollMs * 2 ** Math.min(asked.failures, 4);
      const rested = steadyMs - asked.lastMs >= waitMs;
      const again = asked.again !== undefined && covers(this.#ledger.durable, asked.again);
      // A known gap is filled at once: the other fetch may be waiting for a dead peer.
      const wanted =
        (!fetching || asked.gap) &&
        asked.again === undefined &&
        (asked.failures === 0 || rested) &&
        this.#lacks(peer, asked, steadyMs);
      if (!(wanted || again || (silent && rested && asked.again === undefined))) continue;
      fetching ||= wanted || again;
      asked.again = undefined;
      asked.gap = false;
      asked.sinceMs = steadyMs;
      asked.lastMs = steadyMs;
      due.push(peer);
    }
    return due;
  }

  answered(name: ServerName, lines: number, more: boolean): void {
    const asked = this.#of(name);
    asked.sinceMs = undefined;
    asked.failures = 0;
    asked.again = lines > 0 ? { ...this.#ledger.held } : undefined;
    if (!more && this.phase === "backfill") this.phase = "cutover";
  }

  failed(name: ServerName): void {
    const asked = this.#of(name);
    asked.sinceMs = undefined;
    asked.failures += 1;
    asked.again = undefined;
  }

  #of(name: ServerName): SyncState {
    let asked = this.#asked.get(name);
    if (asked === undefined) {
      asked = {
        sinceMs: undefined,
        lastMs: Number.NEGATIVE_INFINITY,
        failures: 0,
        again: undefined,
        gap: false,
        mark: emptyVector,
        markMs: 0,
      };
      this.#asked.set(name, asked);
    }
    return asked;
  }

  #isOpen(asked: SyncState, steadyMs: number): boolean {
    if (asked.sinceMs === undefined) return false;
    if (steadyMs - asked.sinceMs <= durations.peerRequestMs) return true;
    asked.sinceMs = undefined;
    asked.failures += 1;
    return false;
  }
}
