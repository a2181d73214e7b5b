import {
  type Ballot,
  compareEpochs,
  type Epoch,
  noBallot,
  noEpoch,
  writeEpoch,
} from "../../../protocol/epoch.ts";
import type { ServerName } from "../../../protocol/ids.ts";
import { durations, limits } from "../../../protocol/limits.ts";
import type { CoordinationRequest, Phase } from "../../../protocol/peer-messages.ts";
import type { Answered, Now } from "../effects.ts";
import type { HeardSummary, Replica } from "../replica/replica.ts";
import type { Peer } from "../replica/replication.ts";
import type { GrantRequest } from "./acceptor.ts";
import { Candidacy, type CandidacyParts } from "./candidacy.ts";
import type { CoordinatorTerms } from "./coordinator-terms.ts";
import {
  announceCoordinator,
  HeardCoordinator,
  type KnownCoordinator,
} from "./heard-coordinator.ts";

/** The steps by which a server without a coordinator finds a new coordinator (E1). */
type Search =
  | { readonly step: "rest" }
  /**
   * This server has asked the coordinator for an answer, because their link ended, or because
   * another server hears no coordinator.
   */
  | { readonly step: "ping"; readonly coordinator: ServerName; readonly untilMs: number }
  /** This server waits for an answer from any server of higher rank. */
  | { readonly step: "ask"; readonly untilMs: number; open: number; readonly isAgain: boolean }
  | {
      readonly step: "wait";
      readonly untilMs: number;
      /** Whether this is the second wait, after a first wait in which no server was elected. */
      readonly isLast?: boolean;
    };

export interface ElectionParts extends CandidacyParts {
  readonly terms: CoordinatorTerms;
}

const resting: Search = { step: "rest" };

/**
 * Decides when this server looks for a coordinator, when it becomes a candidate, and when it gives up
 * its candidacy or its term (E1).
 *
 *     rest ──(1.5 s of silence, or a lost link and no answer)──▶ ask higher ranks
 *      ▲                                                           │            │ nobody
 *      │◀──(an announcement)── wait ◀──(one of them answers)───────┘            ▼
 *      └──(a higher epoch, a new view, no quorum in time)────────────── a candidacy
 *
 * Source: H. Garcia-Molina, "Elections in a Distributed Computing System", 1982.
 */
export class Election {
  readonly #parts: ElectionParts;
  readonly #replica: Replica;
  #promised: Ballot = noBallot;
  #search: Search = resting;
  #candidacy: Candidacy | undefined;
  /** The highest epoch that this server knows. */
  #highest: Epoch = noEpoch;
  /**
   * The steady time at which this server began to listen for a coordinator; infinite while this
   * server cannot be a candidate.
   */
  #listensSinceMs = Number.POSITIVE_INFINITY;
  /**
   * Whether this server was coordinator or candidate in an older view, and so becomes a candidate
   * again.
   */
  #isCandidateAgain = false;
  readonly #heard: HeardCoordinator;

  constructor(parts: ElectionParts) {
    this.#parts = parts;
    this.#replica = parts.replica;
    this.#heard = new HeardCoordinator(parts.replica);
  }

  /** Whether this server is coordinator, or neither looks for a coordinator nor is a candidate. */
  get isAtRest(): boolean {
    return this.ownEpoch !== undefined || this.#isFree;
  }

  get #isFree(): boolean {
    return this.#candidacy === undefined && this.#search.step === "rest";
  }

  /** The server that was last heard as coordinator; it may have been silent since then. */
  get coordinator(): KnownCoordinator | undefined {
    return this.#heard.known;
  }

  /** The epoch in which this server is coordinator; undefined if it is not coordinator. */
  get ownEpoch(): Epoch | undefined {
    return this.#candidacy?.isElected === true ? this.#candidacy.ballot.epoch : undefined;
  }

  /** The `seq` up to which a quorum has accepted this term's events; 0 if not coordinator. */
  get accepted(): number {
    return this.#candidacy?.isElected === true ? this.#candidacy.accepted : 0;
  }

  /** Makes a candidacy ask the members to accept this term's events up to `seq`. */
  want(seq: number): void {
    this.#candidacy?.want(seq);
  }

  /**
   * The coordinator, perhaps this server itself; undefined if no coordinator was heard within
   * `durations.coordinatorSilenceMs`.
   */
  current(now: Now): { readonly name: ServerName; readonly epoch: Epoch } | undefined {
    const { ownEpoch } = this;
    if (ownEpoch !== undefined) return { name: this.#replica.name, epoch: ownEpoch };
    return this.#heard.isHeard(now) ? this.coordinator : undefined;
  }

  /** Handles a peer's summary, which contains the peer's epoch if the peer is coordinator. */
  hear({ summary, phase }: HeardSummary, now: Now): void {
    const { server: name, clock, office } = summary;
    if (!this.#heard.isNewer(name, clock)) return;
    if (office === undefined) return this.#hearNoCoordinator(name, phase, now);
    if (!this.believes(office)) return;
    this.#see(office);
    if (compareEpochs(office, this.#highest) < 0) return;
    this.#heard.hear(name, office, now);
    this.#search = resting;
  }

  #hearNoCoordinator(name: ServerName, phase: Phase, now: Now): void {
    if (this.coordinator?.name !== name) return;
    this.#heard.known = undefined;
    const stops = phase === "draining" || phase === "settled";
    // A former coordinator that is not stopping has probably only changed its view. It will soon
    // announce itself again, so this server waits before it asks other servers.
    const untilMs = now.steadyMs + (stops ? 0 : durations.announcementMs);
    if (this.#search.step === "rest") this.#search = { step: "wait", untilMs };
  }

  /**
   * Whether the epoch's term is at most `limits.termsAhead` above the highest known term. Without
   * this limit, one peer could use up all terms.
   */
  believes({ term }: Epoch): boolean {
    return term <= this.#highest.term + limits.termsAhead;
  }

  #see(epoch: Epoch): void {
    if (!this.believes(epoch)) return;
    if (compareEpochs(epoch, this.#highest) > 0) this.#highest = epoch;
  }

  /**
   * Handles the end of a link to a peer. If the peer was last heard as coordinator, asks the peer
   * for an answer.
   */
  lost(peer: ServerName, now: Now): void {
    if (this.coordinator?.name !== peer || !this.#isFree) return;
    const untilMs = now.steadyMs + durations.electionMs;
    this.#search = { step: "ping", coordinator: peer, untilMs };
    return this.#askElection(this.#replica.replication.peer(peer));
  }

  /** Handles the request of a server of lower rank that hears no coordinator. */
  onElection(epoch: Epoch, now: Now): void {
    this.#see(epoch);
    if (!this.#isFree || !this.#isEligible(now)) return;
    return this.#heard.isHeard(now)
      ? this.lost((this.coordinator as KnownCoordinator).name, now)
      : this.#ask(now);
  }

  onAnswer({ from, request, answer }: Answered, now: Now): void {
    if (request.service === "election") {
      return this.#onElectionAnswer(from, answer !== undefined, now);
    }
    const verdict = answer?.service === request.service ? answer : undefined;
    if (verdict !== undefined && "promised" in verdict) this.#see(verdict.promised);
    const granted = { from, request: request as GrantRequest, answer: verdict };
    this.#candidacy?.onVerdict(granted, now);
  }

  #onElectionAnswer(from: ServerName, isThere: boolean, now: Now): void {
    const search = this.#search;
    if (search.step === "ping" && from === search.coordinator) {
      if (isThere) {
        this.#search = resting;
        return;
      }
      this.#heard.known = undefined;
      return this.#ask(now, from);
    }
    if (search.step !== "ask") return;
    if (isThere) {
      const untilMs = now.steadyMs + durations.announcementMs;
      this.#search = { step: "wait", untilMs, isLast: search.isAgain };
      return;
    }
    search.open -= 1;
    if (search.open === 0) this.#startCandidacy(now);
  }

  /** @param isStopping whether this server is stopping; it then gives up its term or candidacy */
  advance(now: Now, isStopping: boolean): void {
    const { acceptor, terms } = this.#parts;
    const { replication } = this.#replica;
    this.#see(acceptor.promised.epoch);
    this.#see(terms.highestEpoch);
    this.#notePromise(now);
    this.#checkCandidacy(isStopping, now);
    if (isStopping || !this.#isEligible(now)) {
      this.#listensSinceMs = Number.POSITIVE_INFINITY;
      this.#search = resting;
      // While a new view is being saved, `#isCandidateAgain` stays as it is, because this server
      // may be eligible in the new view.
      if (replication.adopting === undefined) this.#isCandidateAgain = false;
      if (this.ownEpoch === undefined) this.#candidacy = undefined;
      return this.#advanceCandidacy(now);
    }
    this.#listensSinceMs = Math.min(this.#listensSinceMs, now.steadyMs);
    if (this.#isCandidateAgain) {
      this.#isCandidateAgain = false;
      if (!this.#heard.isHeard(now)) return this.#startCandidacy(now);
    }
    return this.#candidacy === undefined ? this.#advanceSearch(now) : this.#advanceCandidacy(now);
  }

  /** Whether this server is coordinator, or could be elected now. */
  mayBeCoordinator(now: Now): boolean {
    return this.ownEpoch !== undefined || this.#isEligible(now);
  }

  /** Whether this server is a member that has caught up, misses no events, and hears a quorum. */
  #isEligible(now: Now): boolean {
    const { replication, catchUp, ledger } = this.#replica;
    const isWhole =
      replication.isMember && replication.adopting === undefined && !ledger.missesEvents;
    return isWhole && catchUp.phase === "live" && replication.hasLiveQuorum(now.steadyMs);
  }

  #checkCandidacy(isStopping: boolean, now: Now): void {
    if (this.#candidacy === undefined) return;
    const { ballot, view } = this.#candidacy;
    const { replication } = this.#replica;
    const isOldView = (replication.adopting ?? replication.view).number > view.number;
    if (isOldView) {
      this.#giveUp("a new view");
      this.#isCandidateAgain = true;
    } else if (compareEpochs(this.#highest, ballot.epoch) > 0) {
      this.#giveUp(`epoch ${writeEpoch(this.#highest)} is above`);
      // The candidate of the higher epoch gets time to announce itself.
      this.#search = resting;
      this.#listensSinceMs = now.steadyMs;
    } else if (isStopping) {
      this.#giveUp("this server stops");
    }
  }

  #giveUp(why: string): void {
    const { ownEpoch: epoch } = this;
    this.#candidacy = undefined;
    if (epoch === undefined) return;
    const text = `No longer coordinator of epoch ${writeEpoch(epoch)}: ${why}`;
    this.#replica.effects.log("info", text, { event: "resigned", epoch });
  }

  #advanceSearch(now: Now): void {
    const search = this.#search;
    switch (search.step) {
      case "rest": {
        if (this.#heard.isHeard(now)) return this.#heard.watch();
        const sinceMs = Math.max(this.coordinator?.heardMs ?? 0, this.#listensSinceMs);
        if (now.steadyMs - sinceMs >= durations.coordinatorSilenceMs) this.#ask(now);
        return;
      }
      case "ping":
        if (now.steadyMs < search.untilMs) return;
        return this.#onElectionAnswer(search.coordinator, false, now);
      case "ask":
        if (now.steadyMs >= search.untilMs) this.#startCandidacy(now);
        return;
      case "wait":
        if (now.steadyMs < search.untilMs) return;
        // No server was elected during the wait. After a first wait this server asks again; after a
        // second wait it becomes a candidate.
        return search.isLast ? this.#startCandidacy(now) : this.#ask(now);
      default:
        search satisfies never;
        return;
    }
  }

  /** After a new promise to another server, gives the promised candidate time to be elected. */
  #notePromise(now: Now): void {
    const { promised } = this.#parts.acceptor;
    if (promised === this.#promised) return;
    this.#promised = promised;
    if (promised.candidate === this.#replica.name || this.#heard.isHeard(now)) return;
    this.#search = { step: "wait", untilMs: now.steadyMs + durations.announcementMs };
  }

  /**
   * Asks the live members of higher rank, or becomes a candidate if there are none.
   * @param lost a former coordinator that does not answer
   */
  #ask(now: Now, lost?: ServerName): void {
    const { replication, name } = this.#replica;
    const above = replication
      .liveMembers(now.steadyMs)
      .filter((member) => member !== name && member !== lost && outranks(this.#replica, member))
      .map((member) => replication.peer(member))
      .filter(({ address }) => address !== "");
    if (above.length === 0) return this.#startCandidacy(now);
    const untilMs = now.steadyMs + durations.electionMs;
    const isAgain = this.#search.step === "wait";
    this.#search = { step: "ask", untilMs, open: above.length, isAgain };
    for (const peer of above) this.#askElection(peer);
  }

  #askElection({ name: peer, address }: Peer): void {
    const epoch = this.#highest;
    const request: CoordinationRequest = { service: "election", ...this.#replica.summary(), epoch };
    const patienceMs = durations.electionMs;
    this.#replica.effects.add({ type: "askPeer", peer, address, request, patienceMs });
  }

  #startCandidacy(now: Now): void {
    const { name, replication } = this.#replica;
    const { view } = replication;
    this.#search = { step: "wait", untilMs: now.steadyMs + durations.announcementMs };
    // The highest epoch is of a higher view, which this server must adopt first.
    if (this.#highest.view > view.number) return;
    const ballot = { epoch: { view: view.number, term: this.#highest.term + 1 }, candidate: name };
    this.#see(ballot.epoch);
    this.#heard.known = undefined;
    this.#candidacy = new Candidacy(this.#parts, ballot, now);
    return this.#parts.acceptor.raise(ballot);
  }

  #advanceCandidacy(now: Now): void {
    const candidacy = this.#candidacy;
    if (candidacy === undefined) return;
    if (candidacy.isLate(now)) return this.#giveUp("no quorum in time");
    const wasElected = candidacy.isElected;
    candidacy.advance(now);
    if (wasElected || !candidacy.isElected) return;
    const timeMs = this.#parts.clockSync.correctedMs(now);
    announceCoordinator(this.#replica, candidacy.ballot.epoch, timeMs);
  }
}

/** Whether the other server is above this one: by rank, or by name if the ranks are equal. */
function outranks(replica: Replica, other: ServerName): boolean {
  const above = replica.rankOf(other) - replica.rankOf(replica.name);
  return (above || (other > replica.name ? 1 : -1)) > 0;
}
