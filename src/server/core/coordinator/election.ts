import {
  type Ballot,
  compareEpochs,
  type Epoch,
  noBallot,
  noEpoch,
  writeEpoch,
} from "../../../protocol/epoch.ts";
import type { ServerName } from "../../../protocol/ids.ts";
import type { LamportClock } from "../../../protocol/lamport-clock.ts";
import { durations, limits } from "../../../protocol/limits.ts";
import type { CoordinationRequest, Phase } from "../../../protocol/peer-messages.ts";
import { isoTime } from "../../../protocol/time.ts";
import { serversTopic } from "../../../protocol/topics.ts";
import type { Answered, Now } from "../effects.ts";
import type { Word } from "../replica/replica.ts";
import type { Peer } from "../replica/replication.ts";
import type { Proposal } from "./acceptor.ts";
import { Candidacy, type CandidacyParts } from "./candidacy.ts";
import type { CoordinatorTerms } from "./coordinator-terms.ts";

export interface KnownCoordinator {
  readonly name: ServerName;
  readonly epoch: Epoch;
  readonly heardMs: number;
}

/** How a server without a coordinator comes to one (E1). */
type Search =
  | { readonly step: "rest" }
  /** The link to the coordinator has ended: is it still there? */
  | { readonly step: "ping"; readonly coordinator: ServerName; readonly untilMs: number }
  /** Is anybody there who outranks this server? */
  | { readonly step: "ask"; readonly untilMs: number; open: number; readonly isAgain: boolean }
  | {
      readonly step: "wait";
      readonly untilMs: number;
      /** It has waited before, for somebody who then did not come into office. */
      readonly isLast?: boolean;
    };

export interface ElectionParts extends CandidacyParts {
  readonly terms: CoordinatorTerms;
  readonly clock: LamportClock;
  rank(name: ServerName): number;
}

const resting: Search = { step: "rest" };

/**
 * The election of a coordinator (E1): when this server looks for one, when it stands itself, and
 * when it gives up its candidacy or its office.
 *
 *     rest ──(1.5 s of silence, or a lost link and no answer)──▶ ask who outranks it
 *      ▲                                                           │            │ nobody
 *      │◀──(an announcement)── wait ◀──(somebody answers)──────────┘            ▼
 *      └──(a higher epoch, a new view, no quorum in time)────────────── a candidacy
 *
 * Source: H. Garcia-Molina, "Elections in a Distributed Computing System", 1982.
 */
export class Election {
  /** Who last said that it is in office; perhaps silent since. */
  coordinator: KnownCoordinator | undefined;
  readonly #parts: ElectionParts;
  #promised: Ballot = noBallot;
  #search: Search = resting;
  #candidacy: Candidacy | undefined;
  /** The highest epoch that this server has seen or heard of. */
  #highest: Epoch = noEpoch;
  /** Since when it could have heard a coordinator. */
  #listensSinceMs = Number.POSITIVE_INFINITY;
  /** It held or sought the office in a view that is no more. */
  #standsAgain = false;
  #watched: { readonly epoch: Epoch; readonly address: string } | undefined;
  /** The clock of each server's last word. */
  readonly #words = new Map<ServerName, number>();

  constructor(parts: ElectionParts) {
    this.#parts = parts;
  }

  /** The epoch that this server is in office for. */
  get ownEpoch(): Epoch | undefined {
    return this.#candidacy?.isElected === true ? this.#candidacy.ballot.epoch : undefined;
  }

  /** Own events of this office up to this `seq` were accepted by a quorum. */
  get committed(): number {
    return this.#candidacy?.isElected === true ? this.#candidacy.committed : 0;
  }

  /** Own events up to `seq` are to be accepted: they are marked with the epoch of this office. */
  want(seq: number): void {
    this.#candidacy?.want(seq);
  }

  /** Who is in office as far as is known, this server itself perhaps. */
  current(now: Now): { readonly name: ServerName; readonly epoch: Epoch } | undefined {
    const { ownEpoch } = this;
    if (ownEpoch !== undefined) return { name: this.#parts.name, epoch: ownEpoch };
    return this.#isLed(now) ? this.coordinator : undefined;
  }

  #isLed({ steadyMs }: Now): boolean {
    return (
      this.coordinator !== undefined &&
      steadyMs - this.coordinator.heardMs < durations.coordinatorSilenceMs
    );
  }

  // ---- what it hears ------------------------------------------------------------------------------

  /** Whatever a peer says carries the office that it holds. */
  hear({ summary, phase }: Word, now: Now): void {
    const { server: name, clock, office } = summary;
    // What was said before comes later, by another way.
    if (clock <= (this.#words.get(name) ?? -1)) return;
    this.#words.set(name, clock);
    if (office === undefined) return this.#hearNoCoordinator(name, phase, now);
    if (!this.believes(office)) return;
    this.#see(office);
    if (compareEpochs(office, this.#highest) < 0) return;
    const isNew =
      this.coordinator === undefined || compareEpochs(office, this.coordinator.epoch) !== 0;
    const epoch = isNew ? office : (this.coordinator as KnownCoordinator).epoch;
    this.coordinator = { name, epoch, heardMs: now.steadyMs };
    this.#search = resting;
    if (isNew)
      this.#parts.effects.log("info", `${name} is coordinator, epoch ${writeEpoch(office)}`);
  }

  #hearNoCoordinator(name: ServerName, phase: Phase, now: Now): void {
    if (this.coordinator?.name !== name) return;
    this.coordinator = undefined;
    const stops = phase === "draining" || phase === "settled";
    // One that only changes the view comes back at once.
    const untilMs = now.steadyMs + (stops ? 0 : durations.announcementMs);
    if (this.#search.step === "rest") this.#search = { step: "wait", untilMs };
  }

  /** A term far above all known is nobody's: no peer can run the epochs off their end. */
  believes({ term }: Epoch): boolean {
    return term <= this.#highest.term + limits.termsAhead;
  }

  #see(epoch: Epoch): void {
    if (!this.believes(epoch)) return;
    if (compareEpochs(epoch, this.#highest) > 0) this.#highest = epoch;
  }

  /** The link to a peer has ended: if it was the coordinator's, is it still there? */
  lost(peer: ServerName, now: Now): void {
    if (this.coordinator?.name !== peer || this.#candidacy !== undefined) return;
    if (this.#search.step !== "rest") return;
    const untilMs = now.steadyMs + durations.electionMs;
    this.#search = { step: "ping", coordinator: peer, untilMs };
    return this.#askElection(this.#parts.replication.peer(peer));
  }

  /** Somebody of lower rank misses the coordinator. */
  onElection(epoch: Epoch, now: Now): void {
    this.#see(epoch);
    if (this.#candidacy !== undefined || this.#search.step !== "rest" || !this.#mayStand(now))
      return;
    return this.#isLed(now)
      ? this.lost((this.coordinator as KnownCoordinator).name, now)
      : this.#ask(now);
  }

  onAnswer({ from, request, answer }: Answered, now: Now): void {
    switch (request.service) {
      case "election":
        return this.#onElectionAnswer(from, answer !== undefined, now);
      case "candidate":
      case "accept":
        return this.#onVerdict({ from, request: request as Proposal, answer }, now);
      default:
        return;
    }
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
    if (search.open === 0) this.#stand(now);
  }

  #onVerdict({ from, request, answer }: Answered<Proposal>, now: Now): void {
    const verdict = answer?.service === request.service ? answer : undefined;
    if (verdict !== undefined && "promised" in verdict) this.#see(verdict.promised);
    this.#candidacy?.onVerdict({ from, request, answer: verdict }, now);
  }

  // ---- after every step ---------------------------------------------------------------------------

  /** @param isStopping a server that stops neither holds the office nor seeks it */
  advance(now: Now, isStopping: boolean): void {
    const { acceptor, terms, replication } = this.#parts;
    this.#see(acceptor.promised.epoch);
    this.#see(terms.highestEpoch);
    this.#notePromise(now);
    this.#checkCandidacy(isStopping, now);
    if (isStopping || !this.#mayStand(now)) {
      this.#listensSinceMs = Number.POSITIVE_INFINITY;
      this.#search = resting;
      // A view on its way to the disk is all that it may wait for.
      if (replication.adopting === undefined) this.#standsAgain = false;
      if (this.ownEpoch === undefined) this.#candidacy = undefined;
      return this.#advanceCandidacy(now);
    }
    this.#listensSinceMs = Math.min(this.#listensSinceMs, now.steadyMs);
    if (this.#standsAgain) {
      this.#standsAgain = false;
      if (!this.#isLed(now)) return this.#stand(now);
    }
    return this.#candidacy === undefined ? this.#advanceSearch(now) : this.#advanceCandidacy(now);
  }

  /** Whether it is in office, or may come into it as things are. */
  mayLead(now: Now): boolean {
    return this.ownEpoch !== undefined || this.#mayStand(now);
  }

  /** Only who could serve may stand: a member that has caught up, with a quorum. */
  #mayStand(now: Now): boolean {
    const { replication, catchUp, ledger } = this.#parts;
    const isWhole =
      replication.isMember && replication.adopting === undefined && !ledger.missesEvents;
    return isWhole && catchUp.phase === "live" && replication.hasLiveQuorum(now.steadyMs);
  }

  #checkCandidacy(isStopping: boolean, now: Now): void {
    if (this.#candidacy === undefined) return;
    const { ballot, view } = this.#candidacy;
    const { replication } = this.#parts;
    const isOldView = (replication.adopting ?? replication.view).number > view.number;
    if (isOldView) {
      this.#giveUp("a new view");
      this.#standsAgain = true;
    } else if (compareEpochs(this.#highest, ballot.epoch) > 0) {
      this.#giveUp(`epoch ${writeEpoch(this.#highest)} is above`);
      // Whose it is has the time to say so.
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
    this.#parts.effects.log("info", text, { event: "resigned", epoch });
  }

  #advanceSearch(now: Now): void {
    const search = this.#search;
    switch (search.step) {
      case "rest": {
        if (this.#isLed(now)) return this.#watch();
        const sinceMs = Math.max(this.coordinator?.heardMs ?? 0, this.#listensSinceMs);
        if (now.steadyMs - sinceMs >= durations.coordinatorSilenceMs) this.#ask(now);
        return;
      }
      case "ping":
        if (now.steadyMs < search.untilMs) return;
        return this.#onElectionAnswer(search.coordinator, false, now);
      case "ask":
        if (now.steadyMs >= search.untilMs) this.#stand(now);
        return;
      case "wait":
        if (now.steadyMs < search.untilMs) return;
        // Who was waited for has not made it.
        return search.isLast ? this.#stand(now) : this.#ask(now);
      default:
        search satisfies never;
        return;
    }
  }

  /** Who has promised an epoch to somebody gives him the time to take office. */
  #notePromise(now: Now): void {
    const { promised } = this.#parts.acceptor;
    if (promised === this.#promised) return;
    this.#promised = promised;
    if (promised.candidate === this.#parts.name || this.#isLed(now)) return;
    this.#search = { step: "wait", untilMs: now.steadyMs + durations.announcementMs };
  }

  /** Keeps a connection to the coordinator: its end is the first hint that it is gone (E4). */
  #watch(): void {
    const { coordinator } = this;
    if (coordinator === undefined) return;
    const { name, address } = this.#parts.replication.peer(coordinator.name);
    const isWatched =
      coordinator.epoch === this.#watched?.epoch && address === this.#watched.address;
    if (isWatched || address === "") return;
    this.#watched = { epoch: coordinator.epoch, address };
    this.#parts.effects.add({ type: "watchPeer", peer: name, address });
  }

  /** @param lost who was coordinator and does not answer */
  #ask(now: Now, lost?: ServerName): void {
    const { replication, name } = this.#parts;
    const above = replication
      .liveMembers(now.steadyMs)
      .filter((member) => member !== name && member !== lost && this.#outranks(member))
      .map((member) => replication.peer(member))
      .filter(({ address }) => address !== "");
    if (above.length === 0) return this.#stand(now);
    const untilMs = now.steadyMs + durations.electionMs;
    const isAgain = this.#search.step === "wait";
    this.#search = { step: "ask", untilMs, open: above.length, isAgain };
    for (const peer of above) this.#askElection(peer);
  }

  /** By rank; without the reference's list, by name. */
  #outranks(other: ServerName): boolean {
    const { name, rank } = this.#parts;
    return (rank(other) - rank(name) || (other > name ? 1 : -1)) > 0;
  }

  #askElection({ name: peer, address }: Peer): void {
    const epoch = this.#highest;
    const request: CoordinationRequest = { service: "election", ...this.#parts.summary(), epoch };
    const patienceMs = durations.electionMs;
    this.#parts.effects.add({ type: "askPeer", peer, address, request, patienceMs });
  }

  #stand(now: Now): void {
    const { name, replication, acceptor } = this.#parts;
    const { view } = replication;
    this.#search = { step: "wait", untilMs: now.steadyMs + durations.announcementMs };
    // Somebody is in a view that this server has yet to hear of.
    if (this.#highest.view > view.number) return;
    const ballot = { epoch: { view: view.number, term: this.#highest.term + 1 }, candidate: name };
    this.#see(ballot.epoch);
    this.coordinator = undefined;
    this.#candidacy = new Candidacy(this.#parts, ballot, now);
    return acceptor.raise(ballot);
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

  /** In the shape of the original protocol, for whoever listens (P6). */
  #announce({ epoch }: Ballot, now: Now): void {
    const { name, rank, effects, clock, correctedMs } = this.#parts;
    effects.log("info", `Coordinator, epoch ${writeEpoch(epoch)}`, { event: "coordinator", epoch });
    const timestamp = isoTime(correctedMs(now));
    const data = { coordinator: name, epoch, rank: rank(name), timestamp, clock: clock.tick() };
    const payload = { service: "election", data };
    effects.add({ type: "publish", topic: serversTopic, payload });
  }
}
