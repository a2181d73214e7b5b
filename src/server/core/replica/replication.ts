import type { Chain, ServerName } from "../../../protocol/ids.ts";
import { durations } from "../../../protocol/limits.ts";
import {
  type Applied,
  isStopping,
  type Phase,
  type ReplicaSummary,
  type ReplicationMessage,
} from "../../../protocol/peer-messages.ts";
import {
  emptyVector,
  type MutableVector,
  raise,
  servers,
  type Vector,
} from "../../../protocol/vector.ts";
import { noView, quorumOf, type View } from "../../../protocol/view.ts";
import type { Ledger } from "./ledger.ts";

export interface Peer {
  readonly name: ServerName;
  address: string;
  /** Steady time at which the reference last listed this peer. */
  metMs: number;
  /**
   * Steady time of the peer's last message (`heardMs`), and of its last message on `replication`
   * (`broadcastMs`).
   */
  heardMs: number;
  broadcastMs: number;
  durable: Vector;
  clock: number;
  phase: Phase;
  rate: number;
  /** The correction of the peer's time in milliseconds; undefined before the first correction. */
  offsetMs: number | undefined;
  lastCorrectionMs: number | undefined;
  clockRounds: number | undefined;
  /** Whether the peer accepts acknowledgements over its peer link. */
  takesAcks: boolean;
  /** Whether the peer accepts events of hooks. */
  takesHooks: boolean;
  /** The slot up to which the peer has applied decisions. */
  slot: number;
  /** What the peer has applied, by its last heartbeat; undefined if it does not know decisions. */
  applied: Applied | undefined;
}

/** Records what a heartbeat says about its sender. */
export function noteReport(
  peer: Peer,
  report: ReplicationMessage & { readonly type: "heartbeat" },
): void {
  peer.address = report.address;
  peer.phase = report.phase;
  peer.rate = report.rate;
  peer.offsetMs = report.offsetMs;
  peer.lastCorrectionMs = report.lastCorrectionMs;
  peer.clockRounds = report.clockRounds;
  peer.takesAcks = report.takesAcks;
  peer.takesHooks = report.takesHooks;
  peer.applied = report.applied;
}

/**
 * Counts the disks that have each event, to know which events are committed (R3). A server that
 * hears of a higher view stops counting until that view is on its disk. The rules of views are in
 * docs/guarantees.md.
 */
export class Replication {
  readonly peers = new Map<ServerName, Peer>();
  /** Rises with each change of the view, of `committed`, and of a peer's durable vector. */
  version = 0;
  /** The adopted view, which is on disk. */
  view: View = noView;
  /**
   * A higher view whose write to disk has not finished; undefined if no view is being written. During
   * the write, `committed` does not rise.
   */
  adopting: View | undefined;
  /**
   * For each server, the `seq` of its last event that is on the disks of a quorum and held by this
   * replica.
   */
  readonly committed: MutableVector = {};
  readonly #name: ServerName;
  readonly #ledger: Ledger;

  constructor(name: ServerName, ledger: Ledger) {
    this.#name = name;
    this.#ledger = ledger;
  }

  get isMember(): boolean {
    return this.view.members.includes(this.#name);
  }

  peer(name: ServerName): Peer {
    let peer = this.peers.get(name);
    if (peer === undefined) {
      peer = {
        name,
        address: "",
        metMs: Number.NEGATIVE_INFINITY,
        heardMs: Number.NEGATIVE_INFINITY,
        broadcastMs: Number.NEGATIVE_INFINITY,
        durable: emptyVector,
        clock: 0,
        phase: "backfill",
        rate: 0,
        offsetMs: undefined,
        lastCorrectionMs: undefined,
        clockRounds: undefined,
        takesAcks: false,
        takesHooks: false,
        slot: 0,
        applied: undefined,
      };
      this.peers.set(name, peer);
    }
    return peer;
  }

  /**
   * Returns a member that may be of a version without hooks. Such a server refuses their events, and
   * from then on all events of the same origin.
   */
  get memberWithoutHooks(): ServerName | undefined {
    const others = this.view.members.filter((name) => name !== this.#name);
    return others.find((name) => this.peers.get(name)?.takesHooks !== true);
  }

  /** Returns a live member that may be of a version without decisions (O60). */
  memberWithoutDecisions(steadyMs: number): ServerName | undefined {
    const others = this.liveMembers(steadyMs).filter((name) => name !== this.#name);
    return others.find((name) => this.peers.get(name)?.applied === undefined);
  }

  /**
   * Forgets servers outside the view that were neither heard nor listed by the reference for
   * `durations.forgetMs`.
   */
  forget(steadyMs: number): void {
    for (const { name, heardMs, metMs } of this.peers.values()) {
      if (this.view.members.includes(name)) continue;
      if (steadyMs - Math.max(heardMs, metMs) > durations.forgetMs) this.peers.delete(name);
    }
  }

  /** Records a peer's summary. The caller must first pass the summary's view to `see`. */
  hear(summary: ReplicaSummary, steadyMs: number): Peer {
    const peer = this.peer(summary.server);
    peer.heardMs = steadyMs;
    peer.clock = summary.clock;
    if (summary.slot !== undefined && summary.slot > peer.slot) {
      peer.slot = summary.slot;
      this.version += 1;
    }
    const durable: MutableVector = { ...peer.durable };
    if (raise(durable, summary.durable)) {
      peer.durable = durable;
      this.version += 1;
    }
    return peer;
  }

  /**
   * Records a view that this server has heard of, if it is the highest known view.
   * @returns whether the view was recorded, and so must be saved
   */
  see(view: View): boolean {
    if (view.number <= (this.adopting ?? this.view).number) return false;
    this.adopting = view;
    return true;
  }

  /**
   * Adopts the view, which is now on disk.
   * @returns false if a higher view must be saved instead
   */
  adopt(number: number): boolean {
    if (this.adopting?.number !== number) return false;
    this.view = this.adopting;
    this.adopting = undefined;
    this.version += 1;
    return true;
  }

  isLive(name: ServerName, steadyMs: number): boolean {
    return this.silenceMs(name, steadyMs) <= durations.peerSilenceMs;
  }

  /** Milliseconds since a server was heard: 0 for this server, infinite for one never heard. */
  silenceMs(name: ServerName, steadyMs: number): number {
    if (name === this.#name) return 0;
    return steadyMs - (this.peers.get(name)?.heardMs ?? Number.NEGATIVE_INFINITY);
  }

  liveMembers(steadyMs: number): ServerName[] {
    return this.view.members.filter((member) => this.isLive(member, steadyMs));
  }

  hasLiveQuorum(steadyMs: number): boolean {
    return this.liveMembers(steadyMs).length >= quorumOf(this.view);
  }

  durableOf(name: ServerName): Vector {
    if (name === this.#name) return this.#ledger.durable;
    return this.peers.get(name)?.durable ?? emptyVector;
  }

  /**
   * Returns the servers that wait for an acknowledgement of the events of `origins`; undefined if
   * all peers may wait for the acknowledgement. If two disks are a quorum, only an event's origin
   * waits. Every other server already knows two disks that have the event: its own disk, and the
   * disk of the server that sent the event. But a stopping server waits for the vectors of all
   * members (R11).
   */
  waitingFor(origins: ReadonlySet<ServerName>, steadyMs: number): readonly Peer[] | undefined {
    const peers = [...this.peers.values()];
    const isAnyStopping = peers.some(({ name, phase }) => {
      return isStopping(phase) && this.isLive(name, steadyMs);
    });
    if (quorumOf(this.view) > 2 || isAnyStopping) return undefined;
    const found = peers.filter(({ name, takesAcks, address }) => {
      return origins.has(name) && takesAcks && address !== "" && this.view.members.includes(name);
    });
    return found.length === origins.size ? found : undefined;
  }

  /** All known servers that have the event on disk. */
  holders(server: ServerName, seq: number): ServerName[] {
    return [this.#name, ...this.peers.keys()].filter(
      (name) => (this.durableOf(name)[server] ?? 0) >= seq,
    );
  }

  /** Whether all live members have the event on disk. */
  onAllLive(server: ServerName, seq: number, steadyMs: number): boolean {
    return this.view.members.every(
      (member) => (this.durableOf(member)[server] ?? 0) >= seq || !this.isLive(member, steadyMs),
    );
  }

  /** Whether all other live members have applied the slot. */
  onAllLiveApplied(slot: number, steadyMs: number): boolean {
    const others = this.liveMembers(steadyMs).filter((name) => name !== this.#name);
    return others.every((name) => (this.peers.get(name)?.slot ?? 0) >= slot);
  }

  /**
   * Raises `committed` to the events that a quorum and this server now have on disk.
   * @returns whether `committed` rose
   */
  count(): boolean {
    if (this.adopting !== undefined || this.view.members.length === 0) return false;
    const quorum = quorumOf(this.view);
    let rose = false;
    for (const server of servers(this.#ledger.durable)) {
      const seqs = this.view.members.map((member) => this.durableOf(member)[server] ?? 0);
      seqs.sort((a, b) => b - a);
      // A server outside the view may hold fewer events than a quorum, and must not show events
      // that it lacks.
      const seq = Math.min(seqs[quorum - 1] ?? 0, this.#ledger.durable[server] ?? 0);
      if (seq > (this.committed[server] ?? 0)) {
        this.committed[server] = seq;
        rose = true;
      }
    }
    if (rose) this.version += 1;
    return rose;
  }

  /**
   * Compares the chains in a heartbeat with this replica's chains at equal `seq` (J5). Returns a
   * server whose chains differ, or undefined if all chains agree.
   */
  divergence(message: ReplicationMessage & { type: "heartbeat" }): ServerName | undefined {
    return (Object.entries(message.chains) as [ServerName, Chain][]).find(
      ([server, chain]) =>
        message.durable[server] === this.#ledger.durable[server] &&
        this.#ledger.durableChains[server] !== undefined &&
        this.#ledger.durableChains[server] !== chain,
    )?.[0];
  }
}
