import type { ServerName } from "../../../protocol/ids.ts";
import { durations } from "../../../protocol/limits.ts";
import { isStopping, type Phase } from "../../../protocol/peer-messages.ts";
import { covers, emptyVector, type Vector } from "../../../protocol/vector.ts";
import { quorumOf } from "../../../protocol/view.ts";
import type { Ledger } from "./ledger.ts";
import type { Peer, Replication } from "./replication.ts";

/**
 * This server's `sync` requests to one peer: the open request, and when to send the next request.
 */
interface SyncState {
  /** Steady time of the open request; undefined if none is open. */
  sinceMs: number | undefined;
  lastMs: number;
  /** The number of requests that failed one after the other. */
  failures: number;
  /**
   * Set from an answer with new lines until the next request is sent; undefined at any other time.
   * The next request is sent once the events of this vector are on disk, because the request tells
   * the peer that the new lines are on disk.
   */
  again: Vector | undefined;
  /** Whether the peer is known to have events that this server lacks. */
  gap: boolean;
  /**
   * The peer's durable vector at the time `markMs`. A live server that knows of no gap asks the
   * peer only if this server lacks events up to this vector, because newer events are probably on
   * their way.
   */
  mark: Vector;
  markMs: number;
}

/**
 * Decides from which peers this server fetches the events that it lacks, and how far it has caught
 * up:
 *
 *     backfill ──(a page was the last)──▶ cutover ──(covers what a quorum had)──▶ live
 *         ▲                                                                        │
 *         └────────────────(no quorum heard for 1.5 s, or out of the view)─────────┘
 */
export class CatchUp {
  phase: Phase = "backfill";
  /** How often a message of a peer showed that this server lacked events. */
  gaps = 0;
  /** The number of events that peers' answers brought. */
  fetchedEvents = 0;
  /** The durable vector of each member when it was first heard after the last `restart`. */
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
    return isStopping(this.phase);
  }

  restart(): void {
    if (this.isStopping) return;
    this.phase = "backfill";
    this.#targets.clear();
  }

  /**
   * Records a member's durable vector as a target. Only the first vector of each member counts, so
   * that the target does not keep rising.
   */
  hear(peer: Peer): void {
    if (this.#targets.has(peer.name)) return;
    if (!this.#replication.view.members.includes(peer.name)) return;
    this.#targets.set(peer.name, peer.durable);
  }

  /**
   * Whether this server may serve, or become a member: its disk has all events that the live
   * members, at least a quorum, had when they were first heard. This server does not wait for
   * silent members, because events that only a silent member has may never come back.
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

  /** Becomes live if this server has caught up. @returns whether it became live */
  advance(steadyMs: number): boolean {
    if (this.isStopping || this.phase === "live" || !this.#isCaughtUp(steadyMs)) return false;
    this.phase = "live";
    return true;
  }

  /**
   * Records that the peer has events that this server lacks. The peer was just heard, so earlier
   * failed requests to the peer no longer count.
   */
  sawGap(name: ServerName): void {
    const asked = this.#of(name);
    if (!asked.gap) this.gaps += 1;
    asked.gap = true;
    asked.failures = 0;
  }

  /**
   * Whether to fetch events from the peer. A live server does not fetch events that the peer has
   * only just received, because they are probably on their way.
   */
  #lacks(peer: Peer, asked: SyncState, steadyMs: number): boolean {
    if (asked.gap || this.phase !== "live") return !covers(this.#ledger.held, peer.durable);
    if (steadyMs - asked.markMs < durations.pollMs) return false;
    const missed = !covers(this.#ledger.held, asked.mark);
    asked.mark = peer.durable;
    asked.markMs = steadyMs;
    return missed;
  }

  /**
   * Returns the peers to ask now: at most one peer whose events this server lacks, each peer with a
   * known gap, each peer whose last answer is now on disk, and each peer that has been silent on
   * `replication`.
   * @param fetchesState whether a saved state is being fetched instead of events
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
      // The events of a known gap are fetched at once, because another open request may be waiting
      // for a dead peer.
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
    this.fetchedEvents += lines;
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
