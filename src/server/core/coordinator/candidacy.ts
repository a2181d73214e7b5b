import { type Ballot, compareEpochs } from "../../../protocol/epoch.ts";
import type { ServerName } from "../../../protocol/ids.ts";
import { durations } from "../../../protocol/limits.ts";
import type { CoordinationRequest, ReplicaSummary } from "../../../protocol/peer-messages.ts";
import { covers, type MutableVector, raise, type Vector } from "../../../protocol/vector.ts";
import { quorumOf, type View } from "../../../protocol/view.ts";
import type { Answered, Effects, Now } from "../effects.ts";
import type { CatchUp } from "../replica/catch-up.ts";
import type { LedgerOf } from "../replica/ledger.ts";
import type { Replication } from "../replica/replication.ts";
import type { Acceptor, Proposal } from "./acceptor.ts";
import type { CoordinatorData } from "./coordinator-facts.ts";

export interface CandidacyParts {
  readonly name: ServerName;
  readonly ledger: LedgerOf<CoordinatorData>;
  readonly replication: Replication;
  readonly catchUp: CatchUp;
  readonly acceptor: Acceptor;
  readonly effects: Effects;
  summary(): ReplicaSummary;
  correctedMs(now: Now): number;
}

export type OwnBallot = Ballot & { readonly candidate: ServerName };

/**
 * A candidacy, and the term of office that it leads to (E2).
 *
 *     promising ──(a quorum has promised)──▶ fetching ──(all that it had is here)──▶ accepting
 *                                                                                      │
 *                        office ◀──(a quorum has accepted the `coordinator` event)─────┘
 */
export class Candidacy {
  readonly ballot: OwnBallot;
  readonly view: View;
  #step: "promising" | "fetching" | "accepting" | "elected" = "promising";
  /** Own events of this office up to this `seq` were accepted by a quorum. */
  committed = 0;
  readonly #parts: CandidacyParts;
  readonly #sinceMs: number;
  readonly #promisers = new Set<ServerName>();
  /** The join of the promisers' vectors. */
  readonly #needed: MutableVector = {};
  /** The `seq` of the `coordinator` event, once it is made. */
  #first = 0;
  /** Own events up to here are to be accepted. */
  #wanted = 0;
  readonly #accepted = new Map<ServerName, number>();
  /** When each member was last asked, and whether its answer is still to come. */
  readonly #asked = new Map<ServerName, { readonly atMs: number; isOpen: boolean }>();

  constructor(parts: CandidacyParts, ballot: OwnBallot, now: Now) {
    this.#parts = parts;
    this.ballot = ballot;
    this.view = parts.replication.view;
    this.#sinceMs = now.steadyMs;
  }

  get isElected(): boolean {
    return this.#step === "elected";
  }

  /** Whether it has not come into office in time. */
  isLate(now: Now): boolean {
    return !this.isElected && now.steadyMs - this.#sinceMs >= durations.candidacyMs;
  }

  /** Own events up to `seq` are to be accepted: they are marked with this epoch. */
  want(seq: number): void {
    this.#wanted = Math.max(this.#wanted, seq);
  }

  /** A member has promised or accepted, has refused, or has not answered in time. */
  onVerdict({ from, request, answer: verdict }: Answered<Proposal>, now: Now): void {
    if (compareEpochs(this.ballot.epoch, request.epoch) !== 0) return;
    const asked = this.#asked.get(from);
    if (asked !== undefined) asked.isOpen = false;
    if (verdict === undefined || !("isGranted" in verdict) || !verdict.isGranted) {
      this.#asked.set(from, { atMs: now.steadyMs, isOpen: false });
      return;
    }
    this.#asked.delete(from);
    if (request.service === "candidate") this.#addPromise(from, verdict.durable);
    else this.#accepted.set(from, Math.max(this.#accepted.get(from) ?? 0, request.seq));
  }

  #addPromise(from: ServerName, durable: Vector): void {
    if (this.#step !== "promising") return;
    this.#promisers.add(from);
    raise(this.#needed, durable);
    // Fetched at once, not when it next shows that something is missing.
    if (!covers(this.#parts.ledger.held, durable)) this.#parts.catchUp.sawGap(from);
  }

  advance(now: Now): void {
    const { acceptor, ledger, name } = this.#parts;
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

  /** All that a quorum had when it promised stands on this disk: the office begins with it. */
  #begin(now: Now): void {
    const { ledger, correctedMs } = this.#parts;
    const data = { epoch: this.ballot.epoch, sees: ledger.snapshot() };
    const { seq } = ledger.make("coordinator", data, correctedMs(now));
    this.#step = "accepting";
    this.#first = seq;
    this.#wanted = seq;
    this.#asked.clear();
  }

  #askAccepts(now: Now): void {
    // Only what is on this disk has been spoken of.
    if ((this.#parts.ledger.durable[this.#parts.name] ?? 0) < this.#first) return;
    return this.#askMembers(now, (member) => (this.#accepted.get(member) ?? 0) < this.#wanted);
  }

  #askMembers(now: Now, isWanted: (member: ServerName) => boolean): void {
    const { name, replication, effects } = this.#parts;
    for (const member of this.view.members) {
      if (member === name || !isWanted(member)) continue;
      const asked = this.#asked.get(member);
      const isSoon = asked !== undefined && now.steadyMs - asked.atMs < durations.askAgainMs;
      const { address } = replication.peer(member);
      if (asked?.isOpen === true || isSoon || address === "") continue;
      this.#asked.set(member, { atMs: now.steadyMs, isOpen: true });
      const request = this.#proposal();
      const patienceMs = durations.peerRequestMs;
      effects.add({ type: "askPeer", peer: member, address, request, patienceMs });
    }
  }

  #proposal(): CoordinationRequest {
    const { epoch } = this.ballot;
    const summary = this.#parts.summary();
    return this.#step === "promising"
      ? { service: "candidate", ...summary, epoch }
      : { service: "accept", ...summary, epoch, seq: this.#wanted };
  }

  /** Counts accepts, the own one too, as far as it passes its own fence. */
  #count(): void {
    const { acceptor, ledger, name } = this.#parts;
    const own = acceptor.holds(this.ballot) ? (ledger.durable[name] ?? 0) : 0;
    this.#accepted.set(name, Math.min(own, this.#wanted));
    const seqs = this.view.members.map((member) => this.#accepted.get(member) ?? 0);
    seqs.sort((a, b) => b - a);
    const seq = seqs[quorumOf(this.view) - 1] ?? 0;
    if (seq < this.#first) return;
    this.committed = Math.max(this.committed, seq);
    this.#step = "elected";
  }
}
