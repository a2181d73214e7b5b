import type { Epoch } from "../../../protocol/epoch.ts";
import type { Digest, EventLine } from "../../../protocol/event.ts";
import { isServerName, type ServerName } from "../../../protocol/ids.ts";
import type { LamportClock } from "../../../protocol/lamport-clock.ts";
import { limits } from "../../../protocol/limits.ts";
import type { Heads, Mark } from "../../../protocol/mark.ts";
import {
  isStopping,
  type Phase,
  type ReplicaSummary,
  type ReplicationMessage,
  type SyncAnswer,
} from "../../../protocol/peer-messages.ts";
import type { HeartbeatReply, Listed } from "../../../protocol/reference-messages.ts";
import { sorted } from "../../../protocol/vector.ts";
import type { View } from "../../../protocol/view.ts";
import type { Effects, Input, Now } from "../effects.ts";
import { CatchUp } from "./catch-up.ts";
import { Ledger } from "./ledger.ts";
import { noteReport, type Peer, Replication } from "./replication.ts";
import type { StateMachine } from "./state-machine.ts";

/** A received summary, with its sender and the sender's present phase. */
export interface HeardSummary {
  readonly peer: Peer;
  readonly summary: ReplicaSummary;
  readonly phase: Phase;
}

interface ReplicaParts {
  readonly name: ServerName;
  readonly clock: LamportClock;
  readonly digest: Digest;
  readonly machine: StateMachine;
  readonly effects: Effects;
  /**
   * The epoch in which this server is coordinator, if any. Every message to a peer contains this
   * epoch.
   */
  ownEpoch(): Epoch | undefined;
  /** The slot up to which this server has applied decisions. */
  slot(): number;
  heard(summary: HeardSummary, now: Now): void;
}

/**
 * This server's replica of the log. Exchanges summaries and event lines with the peers, and
 * announces only events that are on this disk (R2).
 */
export class Replica {
  readonly name: ServerName;
  readonly clock: LamportClock;
  readonly ledger: Ledger;
  readonly replication: Replication;
  readonly catchUp: CatchUp;
  /** The list of processes in the reference's last reply. */
  list: readonly Listed[] = [];
  /**
   * Whether the reference no longer waits for servers that may know a view (N3). Until then, a
   * server without a view does not begin a new cluster.
   */
  mayBeginCluster = false;
  /**
   * Whether this disk lost events that are not back yet. The server then neither broadcasts nor
   * answers its peers (J5).
   */
  missesEvents = false;
  /** How often this disk had lost events and got all of them back. */
  repairs = 0;
  readonly #parts: ReplicaParts;
  readonly effects: Effects;
  readonly #ranks = new Map<string, number>();
  readonly #diverged = new Set<ServerName>();
  /** The slot that this server last told to all peers. */
  #toldSlot = 0;
  #isContradicted = false;
  /** Steady time of this server's last heartbeat. */
  heartbeatAtMs = Number.NEGATIVE_INFINITY;
  /**
   * The peer whose saved state must be fetched, because its journal no longer has the events that
   * this server lacks.
   */
  #wantedState: { readonly from: ServerName; isAsked: boolean } | undefined;

  constructor(parts: ReplicaParts) {
    const { name, clock, digest, machine, effects } = parts;
    this.#parts = parts;
    this.effects = effects;
    this.name = name;
    this.clock = clock;
    this.ledger = new Ledger({ name, clock, digest, machine });
    this.replication = new Replication(name, this.ledger);
    this.catchUp = new CatchUp(name, this.ledger, this.replication);
  }

  /**
   * Records the events that this disk once had and lost (J5), and their undamaged lines
   * (`salvaged`).
   */
  recoverMissing(heads: Heads, salvaged: Iterable<EventLine>): void {
    this.ledger.noteMissing(heads, salvaged);
    this.missesEvents = this.ledger.missesEvents;
  }

  /** The mark of a state that contains all held events. */
  get mark(): Omit<Mark, "epoch"> {
    const { held, heldChains, heldTimes, highestClock } = this.ledger;
    return {
      vector: sorted(held),
      chains: sortedKeys(heldChains),
      clock: highestClock,
      times: sortedKeys(heldTimes),
    };
  }

  summary(): ReplicaSummary {
    return {
      server: this.name,
      clock: this.clock.tick(),
      view: this.replication.view,
      durable: this.ledger.snapshot(),
      office: this.#parts.ownEpoch(),
      slot: this.#parts.slot(),
    };
  }

  broadcast(message: ReplicationMessage): void {
    if (!this.missesEvents) this.effects.add({ type: "broadcast", message });
  }

  /**
   * Tells the peers what is now on this disk: broadcasts this server's own new events, or
   * acknowledges the other servers' events if there are no own events.
   */
  onFlushed(count: number, now: Now): void {
    const own: string[] = [];
    const origins = new Set<ServerName>();
    for (const { event, line } of this.ledger.flushed(count)) {
      if (event.server === this.name) own.push(line);
      else origins.add(event.server);
    }
    if (own.length === 0) return this.#acknowledge(origins, now);
    for (const lines of inPages(own)) {
      this.broadcast({ ...this.summary(), type: "events", lines });
    }
  }

  /** Acknowledges the origins' events: to all peers, or only to the origins if only they wait. */
  #acknowledge(origins: ReadonlySet<ServerName>, now: Now): void {
    const slot = this.#parts.slot();
    const isNews = slot !== this.#toldSlot;
    this.#toldSlot = slot;
    // Each server may have a client that waits until all members have applied a slot (R9).
    const peers = isNews ? undefined : this.replication.waitingFor(origins, now.steadyMs);
    if (peers === undefined) return this.broadcast({ ...this.summary(), type: "ack" });
    if (this.missesEvents) return;
    for (const { name: peer, address } of peers) {
      this.effects.add({ type: "ack", peer, address, summary: this.summary() });
    }
  }

  /** Makes a heartbeat due at once, so that peers and reference learn of a change. */
  heartbeatSoon(): void {
    this.heartbeatAtMs = Number.NEGATIVE_INFINITY;
  }

  noteHeartbeat({ steadyMs }: Now): void {
    this.heartbeatAtMs = steadyMs;
    this.replication.forget(steadyMs);
  }

  /**
   * Handles a peer's summary: the view before the vector, which must not count in an older view.
   */
  hear(summary: ReplicaSummary, now: Now, phase?: Phase): Peer {
    this.clock.receive(summary.clock);
    this.#seeView(summary.view);
    const peer = this.replication.hear(summary, now.steadyMs);
    this.catchUp.hear(peer);
    this.#parts.heard({ peer, summary, phase: phase ?? peer.phase }, now);
    return peer;
  }

  #seeView(view: View): void {
    if (this.replication.see(view)) this.effects.add({ type: "saveView", view });
    const known = this.replication.view;
    if (view.number !== known.number || sameMembers(view, known) || this.#isContradicted) return;
    this.#isContradicted = true;
    const text = `There are two views with the number ${view.number}`;
    this.effects.log("error", text, { view, known });
  }

  onViewSaved(number: number, now: Now): void {
    if (!this.replication.adopt(number)) return;
    const { view } = this.replication;
    this.effects.log("info", `View ${number}: ${view.members.join(", ")}`, { view });
    // A server outside the view must catch up again with the members of the new view.
    if (!this.replication.isMember) this.catchUp.restart();
    for (const peer of this.replication.peers.values()) {
      if (this.replication.isLive(peer.name, now.steadyMs)) this.catchUp.hear(peer);
    }
    this.heartbeatSoon();
  }

  onReferenceReply({ list, waiting, view }: HeartbeatReply, now: Now): void {
    this.list = list;
    this.#noteRanks();
    this.mayBeginCluster = !waiting;
    this.#seeView(view);
    this.#meet(list, now);
  }

  rankOf(server: ServerName): number {
    return this.#ranks.get(server) ?? 0;
  }

  /**
   * Stores the ranks in the reference's list. A silent member is not in the list, but keeps its
   * known rank.
   */
  #noteRanks(): void {
    const { members } = this.replication.view;
    for (const name of this.#ranks.keys()) {
      if (!(members as readonly string[]).includes(name)) this.#ranks.delete(name);
    }
    for (const { name, rank } of this.list) this.#ranks.set(name, rank);
  }

  /** Stores the addresses of the peers in the reference's list. */
  #meet(list: readonly Listed[], now: Now): void {
    const { members } = this.replication.adopting ?? this.replication.view;
    for (const { name, role, address, isKnown } of list) {
      if (role !== "server" || !isKnown || name === this.name || !isServerName(name)) continue;
      // A server outside the view becomes a peer only when its first message on `replication`
      // arrives.
      if (!members.includes(name) && !this.replication.peers.has(name)) continue;
      const peer = this.replication.peer(name);
      peer.address = address;
      peer.metMs = now.steadyMs;
    }
  }

  /**
   * @returns the peer's phase before the message; undefined if this server sent the message itself
   */
  onReplication(message: ReplicationMessage, now: Now): Phase | undefined {
    if (message.server === this.name) return undefined;
    const phase = message.type === "heartbeat" ? message.phase : undefined;
    const peer = this.hear(message, now, phase);
    const before = peer.phase;
    peer.broadcastMs = now.steadyMs;
    if (message.type === "events") this.#receive(peer.name, message.lines);
    if (message.type === "heartbeat") this.#noteHeartbeatOf(peer, message);
    return before;
  }

  #noteHeartbeatOf(peer: Peer, message: ReplicationMessage & { type: "heartbeat" }): void {
    // A stopping server waits until it has heard each peer, so this server sends a heartbeat at
    // once.
    if (isStopping(message.phase) && peer.phase !== message.phase) this.heartbeatSoon();
    noteReport(peer, message);
    const diverged = this.replication.divergence(message);
    if (diverged === undefined || this.#diverged.has(diverged)) return;
    this.#diverged.add(diverged);
    const text = `The events of ${diverged} differ from those that ${peer.name} holds`;
    this.effects.log("error", text, {
      seq: message.durable[diverged],
      ours: this.ledger.durableChains[diverged],
      theirs: message.chains[diverged],
    });
  }

  onSyncRequest({ to, request }: Input & { type: "syncRequest" }, now: Now): void {
    this.hear(request, now);
    if (this.missesEvents) return;
    const { server: from, durable: since } = request;
    this.effects.add({ type: "answerSync", to, from, summary: this.summary(), since });
  }

  onSyncAnswer(from: ServerName, answer: SyncAnswer, now: Now): void {
    this.hear(answer, now);
    if (answer.compacted && !this.wantsState && !this.catchUp.isStopping) {
      this.effects.log("info", `Too far behind: fetches the saved state of ${from}`);
      this.#wantedState = { from, isAsked: false };
      this.catchUp.restart();
    }
    const appended = this.#receive(from, answer.lines);
    this.catchUp.answered(from, appended, answer.more);
  }

  onSnapshotFailed(from: ServerName): void {
    this.#wantedState = undefined;
    this.catchUp.failed(from);
  }

  /** @returns how many of the lines were new */
  #receive(from: ServerName, lines: readonly string[]): number {
    let appended = 0;
    for (const line of lines) {
      const { outcome, problem } = this.ledger.receive(line);
      if (outcome === "gap") {
        this.catchUp.sawGap(from);
        return appended;
      }
      if (outcome === "broken") {
        this.effects.log("error", `A line from ${from} was refused: ${problem}`);
        return appended;
      }
      if (outcome === "appended") appended += 1;
    }
    return appended;
  }

  /** Whether a peer's saved state must replace this server's own state. */
  get wantsState(): boolean {
    return this.#wantedState !== undefined;
  }

  /**
   * Asks for the saved state that this server needs, as soon as no request is open.
   * @param isBusy whether clients may have open requests, which are lost when the state is loaded
   */
  askState(isBusy: boolean): void {
    const wanted = this.#wantedState;
    if (wanted === undefined || wanted.isAsked || isBusy || !this.ledger.allDurable) return;
    wanted.isAsked = true;
    const { name: peer, address } = this.replication.peer(wanted.from);
    this.effects.add({ type: "fetchSnapshot", peer, address });
  }

  askPeers(now: Now): void {
    for (const { name: peer, address } of this.catchUp.due(now.steadyMs, this.wantsState)) {
      const request = { service: "sync", ...this.summary() } as const;
      this.effects.add({ type: "askSync", peer, address, request });
    }
  }

  /** Ends the repair once all events that the disk lost are back. */
  noteRepair(): void {
    if (!this.missesEvents || this.ledger.missesEvents) return;
    this.missesEvents = false;
    this.repairs += 1;
    this.heartbeatSoon();
    this.effects.add({ type: "repaired" });
    this.effects.log("info", "Repaired: what this disk had lost is there again");
  }
}

function sameMembers(a: View, b: View): boolean {
  return a.members.length === b.members.length && a.members.every((one) => b.members.includes(one));
}

function sortedKeys<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Splits lines into pages, so that each message stays well below the size of a frame. */
function* inPages(lines: string[]): Generator<string[]> {
  let page: string[] = [];
  let bytes = 0;
  for (const line of lines) {
    page.push(line);
    bytes += 3 * line.length;
    if (bytes < limits.pageBytes) continue;
    yield page;
    page = [];
    bytes = 0;
  }
  if (page.length > 0) yield page;
}
