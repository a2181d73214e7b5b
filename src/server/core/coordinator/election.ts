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
import { isoTime } from "../../../protocol/time.ts";
import { serversTopic } from "../../../protocol/topics.ts";
import type { Answered, Now } from "../effects.ts";
import type { HeardSummary, Replica } from "../replica/replica.ts";
import type { Peer } from "../replica/replication.ts";
import type { GrantRequest } from "./acceptor.ts";
import { Candidacy, type CandidacyParts } from "./candidacy.ts";
import type { CoordinatorTerms } from "./coordinator-terms.ts";

export interface KnownCoordinator {
  readonly name: ServerName;
  readonly epoch: Epoch;
  readonly heardMs: number;
}

/** How a server without a coordinator finds one (E1). */
type Search =
  | { readonly step: "rest" }
  /** The link to the coordinator has ended: does it still answer? */
  | { readonly step: "ping"; readonly coordinator: ServerName; readonly untilMs: number }
  /** Does any server of higher rank answer? */
  | { readonly step: "ask"; readonly untilMs: number; open: number; readonly isAgain: boolean }
  | {
      readonly step: "wait";
      readonly untilMs: number;
      /** It has waited once already, for a server that was then not elected. */
      readonly isLast?: boolean;
    };

export interface ElectionParts extends CandidacyParts {
  readonly terms: CoordinatorTerms;
}

const resting: Search = { step: "rest" };

/**
 * The election of a coordinator (E1): when this server looks for one, when it becomes a candidate,
 * and when it gives up its candidacy or its term.
 *
 *     rest ──(1.5 s of silence, or a lost link and no answer)──▶ ask higher ranks
 *      ▲                                                           │            │ nobody
 *      │◀──(an announcement)── wait ◀──(one of them answers)───────┘            ▼
 *      └──(a higher epoch, a new view, no quorum in time)────────────── a candidacy
 *
 * Source: H. Garcia-Molina, "Elections in a Distributed Computing System", 1982.
 */
export class Election {
  /** The server that last said that it is coordinator; it may be silent since. */
  coordinator: KnownCoordinator | undefined;
  readonly #parts: ElectionParts;
  readonly #replica: Replica;
  #promised: Ballot = noBallot;
  #search: Search = resting;
  #candidacy: Candidacy | undefined;
  /** The highest epoch that this server has seen or heard of. */
  #highest: Epoch = noEpoch;
  /** The time since which it could have heard a coordinator. */
  #listensSinceMs = Number.POSITIVE_INFINITY;
  /** It was coordinator or candidate in an older view. */
  #isCandidateAgain = false;
  #watched: { readonly epoch: Epoch; readonly address: string } | undefined;
  /** The clock of each server's newest message. */
  readonly #clocks = new Map<ServerName, number>();

  constructor(parts: ElectionParts) {
    this.#parts = parts;
    this.#replica = parts.replica;
  }

  /** The epoch that this server is coordinator of. */
  get ownEpoch(): Epoch | undefined {
    return this.#candidacy?.isElected === true ? this.#candidacy.ballot.epoch : undefined;
  }

  /** A quorum has accepted own events of this term up to this `seq`. */
  get committed(): number {
    return this.#candidacy?.isElected === true ? this.#candidacy.committed : 0;
  }

  /** The members must accept own events up to `seq`, which carry the epoch of this term. */
  want(seq: number): void {
    this.#candidacy?.want(seq);
  }

  /** The coordinator as far as is known, perhaps this server itself. */
  current(now: Now): { readonly name: ServerName; readonly epoch: Epoch } | undefined {
    const { ownEpoch } = this;
    if (ownEpoch !== undefined) return { name: this.#replica.name, epoch: ownEpoch };
    return this.#hearsCoordinator(now) ? this.coordinator : undefined;
  }

  #hearsCoordinator({ steadyMs }: Now): boolean {
    const heardMs = this.coordinator?.heardMs ?? Number.NEGATIVE_INFINITY;
    return steadyMs - heardMs < durations.coordinatorSilenceMs;
  }

  /** Every message of a peer tells the epoch that it is coordinator of, if any. */
  hear({ summary, phase }: HeardSummary, now: Now): void {
    const { server: name, clock, office } = summary;
    // An older message may come later, by another way.
    if (clock <= (this.#clocks.get(name) ?? -1)) return;
    this.#clocks.set(name, clock);
    if (office === undefined) return this.#hearNoCoordinator(name, phase, now);
    if (!this.believes(office)) return;
    this.#see(office);
    if (compareEpochs(office, this.#highest) < 0) return;
    const known = this.coordinator?.epoch;
    const epoch = known !== undefined && compareEpochs(office, known) === 0 ? known : office;
    this.coordinator = { name, epoch, heardMs: now.steadyMs };
    this.#search = resting;
    if (epoch === known) return;
    this.#replica.effects.log("info", `${name} is coordinator, epoch ${writeEpoch(epoch)}`);
  }

  #hearNoCoordinator(name: ServerName, phase: Phase, now: Now): void {
    if (this.coordinator?.name !== name) return;
    this.coordinator = undefined;
    const stops = phase === "draining" || phase === "settled";
    // A server that does not stop has only changed its view: it is soon coordinator again.
    const untilMs = now.steadyMs + (stops ? 0 : durations.announcementMs);
    if (this.#search.step === "rest") this.#search = { step: "wait", untilMs };
  }

  /** A term far above all known ones is not believed: no peer can exhaust the epochs. */
  believes({ term }: Epoch): boolean {
    return term <= this.#highest.term + limits.termsAhead;
  }

  #see(epoch: Epoch): void {
    if (!this.believes(epoch)) return;
    if (compareEpochs(epoch, this.#highest) > 0) this.#highest = epoch;
  }

  /** The link to a peer has ended: if the peer was coordinator, does it still answer? */
  lost(peer: ServerName, now: Now): void {
    if (this.coordinator?.name !== peer || this.#candidacy !== undefined) return;
    if (this.#search.step !== "rest") return;
    const untilMs = now.steadyMs + durations.electionMs;
    this.#search = { step: "ping", coordinator: peer, untilMs };
    return this.#askElection(this.#replica.replication.peer(peer));
  }

  /** A server of lower rank misses the coordinator. */
  onElection(epoch: Epoch, now: Now): void {
    this.#see(epoch);
    if (this.#candidacy !== undefined || this.#search.step !== "rest" || !this.#isEligible(now))
      return;
    return this.#hearsCoordinator(now)
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
      this.coordinator = undefined;
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

  /** @param isStopping a server that stops is neither coordinator nor candidate */
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
      // It may wait for nothing but a view on its way to the disk.
      if (replication.adopting === undefined) this.#isCandidateAgain = false;
      if (this.ownEpoch === undefined) this.#candidacy = undefined;
      return this.#advanceCandidacy(now);
    }
    this.#listensSinceMs = Math.min(this.#listensSinceMs, now.steadyMs);
    if (this.#isCandidateAgain) {
      this.#isCandidateAgain = false;
      if (!this.#hearsCoordinator(now)) return this.#startCandidacy(now);
    }
    return this.#candidacy === undefined ? this.#advanceSearch(now) : this.#advanceCandidacy(now);
  }

  /** Whether it is coordinator, or could be elected now. */
  mayBeCoordinator(now: Now): boolean {
    return this.ownEpoch !== undefined || this.#isEligible(now);
  }

  /** Only a server that could serve may be candidate: a member that has caught up, with a quorum. */
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
      // The owner of the higher epoch has time to say so.
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
        if (this.#hearsCoordinator(now)) return this.#watch();
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
        // The server that it waited for was not elected.
        return search.isLast ? this.#startCandidacy(now) : this.#ask(now);
      default:
        search satisfies never;
        return;
    }
  }

  /** A server that has promised an epoch gives its candidate time to be elected. */
  #notePromise(now: Now): void {
    const { promised } = this.#parts.acceptor;
    if (promised === this.#promised) return;
    this.#promised = promised;
    if (promised.candidate === this.#replica.name || this.#hearsCoordinator(now)) return;
    this.#search = { step: "wait", untilMs: now.steadyMs + durations.announcementMs };
  }

  /** Keeps a connection to the coordinator: its end is the first hint that it is gone (E4). */
  #watch(): void {
    const { coordinator } = this;
    if (coordinator === undefined) return;
    const { name, address } = this.#replica.replication.peer(coordinator.name);
    const isWatched =
      coordinator.epoch === this.#watched?.epoch && address === this.#watched.address;
    if (isWatched || address === "") return;
    this.#watched = { epoch: coordinator.epoch, address };
    this.#replica.effects.add({ type: "watchPeer", peer: name, address });
  }

  /** @param lost a former coordinator that does not answer */
  #ask(now: Now, lost?: ServerName): void {
    const { replication, name } = this.#replica;
    const above = replication
      .liveMembers(now.steadyMs)
      .filter((member) => member !== name && member !== lost && this.#outranks(member))
      .map((member) => replication.peer(member))
      .filter(({ address }) => address !== "");
    if (above.length === 0) return this.#startCandidacy(now);
    const untilMs = now.steadyMs + durations.electionMs;
    const isAgain = this.#search.step === "wait";
    this.#search = { step: "ask", untilMs, open: above.length, isAgain };
    for (const peer of above) this.#askElection(peer);
  }

  /** By rank; without the reference's list, by name. */
  #outranks(other: ServerName): boolean {
    const { name } = this.#replica;
    const above = this.#replica.rankOf(other) - this.#replica.rankOf(name);
    return (above || (other > name ? 1 : -1)) > 0;
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
    // Another server is in a view that this server has yet to hear of.
    if (this.#highest.view > view.number) return;
    const ballot = { epoch: { view: view.number, term: this.#highest.term + 1 }, candidate: name };
    this.#see(ballot.epoch);
    this.coordinator = undefined;
    this.#candidacy = new Candidacy(this.#parts, ballot, now);
    return this.#parts.acceptor.raise(ballot);
  }

  #advanceCandidacy(now: Now): void {
    const candidacy = this.#candidacy;
    if (candidacy === undefined) return;
    if (candidacy.isLate(now)) {
      this.#giveUp("no quorum in time");
      return;
    }
    const wasElected = candidacy.isElected;
    candidacy.advance(now);
    if (!wasElected && candidacy.isElected) this.#announce(candidacy.ballot, now);
  }

  /** In the shape of the original protocol, for any listener (P6). */
  #announce({ epoch }: Ballot, now: Now): void {
    const { name, effects, clock } = this.#replica;
    effects.log("info", `Coordinator, epoch ${writeEpoch(epoch)}`, { event: "coordinator", epoch });
    const timestamp = isoTime(this.#parts.clockSync.correctedMs(now));
    const data = {
      coordinator: name,
      epoch,
      rank: this.#replica.rankOf(name),
      timestamp,
      clock: clock.tick(),
    };
    const payload = { service: "election", data };
    effects.add({ type: "publish", topic: serversTopic, payload });
  }
}
