import { type Ballot, compareEpochs } from "../../../protocol/epoch.ts";
import type { ServerName } from "../../../protocol/ids.ts";
import { durations } from "../../../protocol/limits.ts";
import type { CoordinationRequest } from "../../../protocol/peer-messages.ts";
import { covers, type MutableVector, raise, type Vector } from "../../../protocol/vector.ts";
import { quorumOf, type View } from "../../../protocol/view.ts";
import type { Answered, Now } from "../effects.ts";
import type { LedgerOf } from "../replica/ledger.ts";
import type { Replica } from "../replica/replica.ts";
import type { Acceptor, GrantRequest } from "./acceptor.ts";
import type { ClockSync } from "./clock-sync.ts";
import type { CoordinatorData } from "./coordinator-facts.ts";

export interface CandidacyParts {
  readonly replica: Replica;
  readonly acceptor: Acceptor;
  readonly clockSync: ClockSync;
}

/**
 * Runs one candidacy and, if the candidate is elected, its term as coordinator (E2).
 *
 *     promising ──(a quorum has promised)──▶ fetching ──(all its events are here)──▶ accepting
 *                                                                                      │
 *                       elected ◀──(a quorum has accepted the `coordinator` event)─────┘
 */
export class Candidacy {
  readonly ballot: Ballot;
  readonly view: View;
  #step: "promising" | "fetching" | "accepting" | "elected" = "promising";
  /** The highest `seq` up to which a quorum has accepted this server's events of this term. */
  accepted = 0;
  readonly #parts: CandidacyParts;
  readonly #sinceMs: number;
  readonly #promisers = new Set<ServerName>();
  /**
   * For each server, the highest `seq` in the durable vectors of the members that have promised.
   */
  readonly #needed: MutableVector = {};
  /** The `seq` of the `coordinator` event; 0 until the event is made. */
  #first = 0;
  /** The `seq` up to which the members are asked to accept this server's events of this term. */
  #wanted = 0;
  readonly #acceptedBy = new Map<ServerName, number>();
  /**
   * For each member, the steady time of the last request to it, and whether its answer is
   * outstanding.
   */
  readonly #asked = new Map<ServerName, { readonly atMs: number; isOpen: boolean }>();

  constructor(parts: CandidacyParts, ballot: Ballot, now: Now) {
    this.#parts = parts;
    this.ballot = ballot;
    this.view = parts.replica.replication.view;
    this.#sinceMs = now.steadyMs;
  }

  get isElected(): boolean {
    return this.#step === "elected";
  }

  /** Whether `durations.candidacyMs` have passed without an election. */
  isLate(now: Now): boolean {
    return !this.isElected && now.steadyMs - this.#sinceMs >= durations.candidacyMs;
  }

  /**
   * Makes the candidacy ask the members to accept this server's events of this term up to `seq`.
   */
  want(seq: number): void {
    this.#wanted = Math.max(this.#wanted, seq);
  }

  /** Handles the answer of a member: a grant, a refusal, or undefined if no answer came in time. */
  onVerdict({ from, request, answer: verdict }: Answered<GrantRequest>, now: Now): void {
    if (compareEpochs(this.ballot.epoch, request.epoch) !== 0) return;
    const asked = this.#asked.get(from);
    if (asked !== undefined) asked.isOpen = false;
    if (verdict === undefined || !("isGranted" in verdict) || !verdict.isGranted) {
      this.#asked.set(from, { atMs: now.steadyMs, isOpen: false });
      return;
    }
    this.#asked.delete(from);
    if (request.service === "candidate") this.#addPromise(from, verdict.durable);
    else this.#acceptedBy.set(from, Math.max(this.#acceptedBy.get(from) ?? 0, request.seq));
  }

  #addPromise(from: ServerName, durable: Vector): void {
    if (this.#step !== "promising") return;
    this.#promisers.add(from);
    raise(this.#needed, durable);
    // The candidacy can't continue without the events that `durable` covers, so missing events are
    // fetched at once.
    const { ledger, catchUp } = this.#parts.replica;
    if (!covers(ledger.held, durable)) catchUp.sawGap(from);
  }

  advance(now: Now): void {
    const { acceptor } = this.#parts;
    const { ledger, name } = this.#parts.replica;
    switch (this.#step) {
      case "promising":
        if (!acceptor.holds(this.ballot)) return;
        if (!this.#promisers.has(name)) this.#addPromise(name, ledger.durable);
        if (this.#promisers.size < quorumOf(this.view)) {
          return this.#askMembers(now, (member) => !this.#promisers.has(member));
        }
        this.#step = "fetching";
        return this.advance(now);
      case "fetching":
        if (covers(ledger.durable, this.#needed)) this.#begin(now);
        return;
      case "accepting":
      case "elected":
        this.#count();
        return this.#askAccepts(now);
      default:
        this.#step satisfies never;
    }
  }

  /**
   * Begins the term with a `coordinator` event. Called once this disk has all events that a quorum
   * had on disk when it promised.
   */
  #begin(now: Now): void {
    const { replica, clockSync } = this.#parts;
    const ledger: LedgerOf<CoordinatorData> = replica.ledger;
    const data = { epoch: this.ballot.epoch, sees: ledger.snapshot() };
    const { seq } = ledger.make("coordinator", data, clockSync.correctedMs(now));
    this.#step = "accepting";
    this.#first = seq;
    this.#wanted = seq;
    this.#asked.clear();
  }

  #askAccepts(now: Now): void {
    // The peers can accept the `coordinator` event only after it is on this disk and sent to them.
    const { ledger, name } = this.#parts.replica;
    if ((ledger.durable[name] ?? 0) < this.#first) return;
    return this.#askMembers(now, (member) => (this.#acceptedBy.get(member) ?? 0) < this.#wanted);
  }

  #askMembers(now: Now, isWanted: (member: ServerName) => boolean): void {
    const { name, replication, effects } = this.#parts.replica;
    for (const member of this.view.members) {
      if (member === name || !isWanted(member)) continue;
      const asked = this.#asked.get(member);
      const isSoon = asked !== undefined && now.steadyMs - asked.atMs < durations.askAgainMs;
      const { address } = replication.peer(member);
      if (asked?.isOpen === true || isSoon || address === "") continue;
      this.#asked.set(member, { atMs: now.steadyMs, isOpen: true });
      const request = this.#question();
      const patienceMs = durations.peerRequestMs;
      effects.add({ type: "askPeer", peer: member, address, request, patienceMs });
    }
  }

  #question(): CoordinationRequest {
    const { epoch } = this.ballot;
    const summary = this.#parts.replica.summary();
    return this.#step === "promising"
      ? { service: "candidate", ...summary, epoch }
      : { service: "accept", ...summary, epoch, seq: this.#wanted };
  }

  /**
   * Counts the accepts of the members. This server's own accept counts only while its ballot is the
   * highest that it has promised.
   */
  #count(): void {
    const { acceptor } = this.#parts;
    const { ledger, name } = this.#parts.replica;
    const own = acceptor.holds(this.ballot) ? (ledger.durable[name] ?? 0) : 0;
    this.#acceptedBy.set(name, Math.min(own, this.#wanted));
    const seqs = this.view.members.map((member) => this.#acceptedBy.get(member) ?? 0);
    seqs.sort((a, b) => b - a);
    const seq = seqs[quorumOf(this.view) - 1] ?? 0;
    if (seq < this.#first) return;
    this.accepted = Math.max(this.accepted, seq);
    this.#step = "elected";
  }
}
