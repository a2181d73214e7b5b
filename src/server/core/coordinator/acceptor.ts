import {
  type Ballot,
  compareEpochs,
  type Epoch,
  isSameBallot,
  noBallot,
} from "../../../protocol/epoch.ts";
import { durations } from "../../../protocol/limits.ts";
import type { CoordinationRequest } from "../../../protocol/peer-messages.ts";
import { covers } from "../../../protocol/vector.ts";
import type { Now, ReplyTo } from "../effects.ts";
import type { Replica } from "../replica/replica.ts";
import type { CoordinatorTerms } from "./coordinator-terms.ts";

/** What a candidate or coordinator asks every member of its view to grant. */
export type GrantRequest = CoordinationRequest & { readonly service: "candidate" | "accept" };

interface PendingGrant {
  readonly to: ReplyTo;
  readonly request: GrantRequest;
  readonly untilMs: number;
}

/**
 * What this server has promised to candidates, and so what it still accepts (E2). The promise rises
 * in memory before it is written, and the fence is checked when an answer leaves. So no two answers
 * contradict each other, whatever happens between request and answer.
 * Source: L. Lamport, "Paxos Made Simple", 2001; here an `ack` is not an accept: that is requested.
 */
export class Acceptor {
  /** The highest promise, on disk or on its way there. */
  promised: Ballot = noBallot;
  #saved: Ballot = noBallot;
  /** The newest request of each server and kind, until it can be answered. */
  readonly #asked = new Map<string, PendingGrant>();
  readonly #replica: Replica;
  readonly #terms: CoordinatorTerms;

  constructor(replica: Replica, terms: CoordinatorTerms) {
    this.#replica = replica;
    this.#terms = terms;
  }

  recover(ballot: Ballot): void {
    this.promised = ballot;
    this.#saved = ballot;
  }

  /** The promise is on disk. */
  saved(ballot: Ballot): void {
    if (compareEpochs(ballot.epoch, this.#saved.epoch) > 0) this.#saved = ballot;
  }

  /** Raises the promise if the ballot is above every earlier one. */
  raise(ballot: Ballot): void {
    if (compareEpochs(ballot.epoch, this.promised.epoch) <= 0) return;
    this.promised = ballot;
    this.#replica.effects.add({ type: "savePromise", ballot });
  }

  /** Whether the ballot is the highest promised, that promise is on disk, and its view is adopted. */
  holds(ballot: Ballot): boolean {
    const { view, adopting } = this.#replica.replication;
    const isInView = adopting === undefined && view.number === ballot.epoch.view;
    const isHighest = isInView && isSameBallot(this.promised, ballot);
    return (
      isHighest && view.members.includes(this.#replica.name) && isSameBallot(this.#saved, ballot)
    );
  }

  ask(to: ReplyTo, request: GrantRequest, now: Now): void {
    // Only the asker may have the events that its term rests on: they are fetched at once.
    if (request.service === "accept" && !this.#hasSeen(request.epoch)) {
      this.#replica.catchUp.sawGap(request.server);
    }
    const untilMs = now.steadyMs + durations.peerRequestMs;
    this.#asked.set(`${request.server} ${request.service}`, { to, request, untilMs });
  }

  /** Answers what can be answered now. */
  advance(now: Now): void {
    for (const [key, { to, request, untilMs }] of this.#asked) {
      const verdict = this.#judge(request);
      if (verdict !== "wait" || now.steadyMs >= untilMs) this.#asked.delete(key);
      if (verdict === "wait") continue;
      const isGranted = verdict === "grant";
      // Only a promise that is on disk may be told (R2).
      const answer = {
        ...this.#replica.summary(),
        service: request.service,
        isGranted,
        promised: this.#saved.epoch,
      };
      this.#replica.effects.add({ type: "answerPeer", to, answer });
    }
  }

  #judge(request: GrantRequest): "grant" | "refuse" | "wait" {
    const { epoch } = request;
    const ballot: Ballot = { epoch, candidate: request.server };
    const { view, adopting } = this.#replica.replication;
    // A ballot below the adopted view is refused; one above it waits until its view is adopted.
    if (epoch.view < (adopting ?? view).number) return "refuse";
    if (adopting !== undefined || epoch.view > view.number) return "wait";
    if (!view.members.includes(this.#replica.name)) return "refuse";
    this.raise(ballot);
    if (!isSameBallot(this.promised, ballot)) return "refuse";
    if (!isSameBallot(this.#saved, ballot)) return "wait";
    if (request.service === "candidate") return "grant";
    return this.#hasOnDisk(request) ? "grant" : "wait";
  }

  /** Whether all that the term rests on is on disk, and the events that the asker wants accepted. */
  #hasOnDisk({ epoch, server, seq }: GrantRequest & { service: "accept" }): boolean {
    return (this.#replica.ledger.durable[server] ?? 0) >= seq && this.#hasSeen(epoch);
  }

  #hasSeen(epoch: Epoch): boolean {
    const term = this.#terms.of(epoch);
    return term !== undefined && covers(this.#replica.ledger.durable, term.sees);
  }
}
