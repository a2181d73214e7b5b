import {
  type Ballot,
  compareEpochs,
  type Epoch,
  isSameBallot,
  noBallot,
} from "../../../protocol/epoch.ts";
import type { ServerName } from "../../../protocol/ids.ts";
import { durations } from "../../../protocol/limits.ts";
import type { CoordinationRequest, ReplicaSummary } from "../../../protocol/peer-messages.ts";
import { covers } from "../../../protocol/vector.ts";
import type { Effects, Now, ReplyTo } from "../effects.ts";
import type { CatchUp } from "../replica/catch-up.ts";
import type { Ledger } from "../replica/ledger.ts";
import type { Replication } from "../replica/replication.ts";
import type { CoordinatorTerms } from "./coordinator-terms.ts";

/** What a candidate or coordinator asks of every member of its view. */
export type Proposal = CoordinationRequest & { readonly service: "candidate" | "accept" };

interface Asked {
  readonly to: ReplyTo;
  readonly request: Proposal;
  readonly untilMs: number;
}

export interface AcceptorParts {
  readonly name: ServerName;
  readonly ledger: Ledger;
  readonly replication: Replication;
  readonly catchUp: CatchUp;
  readonly terms: CoordinatorTerms;
  readonly effects: Effects;
  summary(): ReplicaSummary;
}

/**
 * What this server has promised to candidates, and so what it still accepts (E2). The promise rises
 * in memory before it is written, and the fence is looked at when an answer leaves, so that no two
 * answers contradict each other, whatever happens between question and answer.
 * Source: L. Lamport, "Paxos Made Simple", 2001; here an accept is asked for, an ack is none.
 */
export class Acceptor {
  /** The highest promise, on disk or on its way there. */
  promised: Ballot = noBallot;
  #saved: Ballot = noBallot;
  /** The newest question of each server and kind, until it can be answered. */
  readonly #asked = new Map<string, Asked>();
  readonly #parts: AcceptorParts;

  constructor(parts: AcceptorParts) {
    this.#parts = parts;
  }

  recover(ballot: Ballot): void {
    this.promised = ballot;
    this.#saved = ballot;
  }

  /** The promise is on disk. */
  saved(ballot: Ballot): void {
    if (compareEpochs(ballot.epoch, this.#saved.epoch) > 0) this.#saved = ballot;
  }

  /** Raises the promise, if the ballot is above all that was promised. */
  raise(ballot: Ballot): void {
    if (compareEpochs(ballot.epoch, this.promised.epoch) <= 0) return;
    this.promised = ballot;
    this.#parts.effects.add({ type: "savePromise", ballot });
  }

  /** The highest promise that others may hear of (R2). */
  get spoken(): Epoch {
    return this.#saved.epoch;
  }

  /** Whether the ballot is the highest promised, that promise is on disk, and its view is adopted. */
  holds(ballot: Ballot): boolean {
    return this.#isHighest(ballot) && isSameBallot(this.#saved, ballot);
  }

  #isHighest(ballot: Ballot): boolean {
    const { view, adopting } = this.#parts.replication;
    const isInView = adopting === undefined && view.number === ballot.epoch.view;
    return (
      isInView && view.members.includes(this.#parts.name) && isSameBallot(this.promised, ballot)
    );
  }

  ask(to: ReplyTo, request: Proposal, now: Now): void {
    // What an office stands on may have come to the asker alone: it is fetched at once.
    if (request.service === "accept" && !this.#hasSeen(request.epoch)) {
      this.#parts.catchUp.sawGap(request.server);
    }
    const untilMs = now.steadyMs + durations.peerRequestMs;
    this.#asked.set(`${request.server} ${request.service}`, { to, request, untilMs });
  }

  /** Answers what can be answered now. */
  advance(now: Now): void {
    const { effects, summary } = this.#parts;
    for (const [key, { to, request, untilMs }] of this.#asked) {
      const verdict = this.#judge(request);
      if (verdict !== "wait" || now.steadyMs >= untilMs) this.#asked.delete(key);
      if (verdict === "wait") continue;
      const isGranted = verdict === "grant";
      const answer = { ...summary(), service: request.service, isGranted, promised: this.spoken };
      effects.add({ type: "answerPeer", to, answer });
    }
  }

  #judge(request: Proposal): "grant" | "refuse" | "wait" {
    const { epoch } = request;
    const ballot: Ballot = { epoch, candidate: request.server };
    const { view, adopting } = this.#parts.replication;
    // Neither promised nor accepted below the adopted view; above it, once it is adopted.
    if (epoch.view < (adopting ?? view).number) return "refuse";
    if (adopting !== undefined || epoch.view > view.number) return "wait";
    if (!view.members.includes(this.#parts.name)) return "refuse";
    this.raise(ballot);
    if (!isSameBallot(this.promised, ballot)) return "refuse";
    if (!isSameBallot(this.#saved, ballot)) return "wait";
    if (request.service === "candidate") return "grant";
    return this.#hasOnDisk(request) ? "grant" : "wait";
  }

  /** All that the office stands on, and the asker's own events that are to be accepted. */
  #hasOnDisk({ epoch, server, seq }: Proposal & { service: "accept" }): boolean {
    return (this.#parts.ledger.durable[server] ?? 0) >= seq && this.#hasSeen(epoch);
  }

  #hasSeen(epoch: Epoch): boolean {
    const term = this.#parts.terms.of(epoch);
    return term !== undefined && covers(this.#parts.ledger.durable, term.sees);
  }
}
