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

/**
 * A request to every member of a view: a candidate asks for a promise, a coordinator for an accept.
 */
export type GrantRequest = CoordinationRequest & { readonly service: "candidate" | "accept" };

interface PendingGrant {
  readonly to: ReplyTo;
  readonly request: GrantRequest;
  readonly untilMs: number;
}

/**
 * Grants or refuses the requests of candidates and coordinators, by the highest ballot that this
 * server has promised (E2). The promise rises in memory before it is written to disk. Each answer
 * is checked against the promise at the moment when the answer is sent, so no two answers
 * contradict each other.
 * Source: L. Lamport, "Paxos Made Simple", 2001. Here a coordinator requests accepts in a separate
 * message, `accept`; an `ack` of replication is not an accept.
 */
export class Acceptor {
  /** The highest promised ballot, which may not be on disk yet. */
  promised: Ballot = noBallot;
  #saved: Ballot = noBallot;
  /** The newest request of each server and service, until the request can be answered. */
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

  /** Records that the promise is on disk. */
  saved(ballot: Ballot): void {
    if (compareEpochs(ballot.epoch, this.#saved.epoch) > 0) this.#saved = ballot;
  }

  /** Promises the ballot if its epoch is above every promised epoch. */
  raise(ballot: Ballot): void {
    if (compareEpochs(ballot.epoch, this.promised.epoch) <= 0) return;
    this.promised = ballot;
    this.#replica.effects.add({ type: "savePromise", ballot });
  }

  /**
   * Whether the ballot is this server's highest promise, in memory and on disk. Also requires that
   * the ballot's view is the adopted view, and that this server is a member of that view.
   */
  holds(ballot: Ballot): boolean {
    const { view, adopting } = this.#replica.replication;
    const isInView = adopting === undefined && view.number === ballot.epoch.view;
    const isHighest = isInView && isSameBallot(this.promised, ballot);
    return (
      isHighest && view.members.includes(this.#replica.name) && isSameBallot(this.#saved, ballot)
    );
  }

  ask(to: ReplyTo, request: GrantRequest, now: Now): void {
    // Perhaps only the coordinator has the events on which its term depends, so this server fetches
    // these events from the coordinator at once.
    if (request.service === "accept" && !this.#hasSeen(request.epoch)) {
      this.#replica.catchUp.sawGap(request.server);
    }
    const untilMs = now.steadyMs + durations.peerRequestMs;
    this.#asked.set(`${request.server} ${request.service}`, { to, request, untilMs });
  }

  /**
   * Answers the requests that can be answered now, and drops requests that have waited too long.
   */
  advance(now: Now): void {
    for (const [key, { to, request, untilMs }] of this.#asked) {
      const verdict = this.#judge(request);
      if (verdict !== "wait" || now.steadyMs >= untilMs) this.#asked.delete(key);
      if (verdict === "wait") continue;
      const isGranted = verdict === "grant";
      // Only a promise that is on disk may be sent (R2).
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
    // A ballot of a lower view is refused. A ballot of a higher view waits until this server has
    // adopted that view.
    if (epoch.view < (adopting ?? view).number) return "refuse";
    if (adopting !== undefined || epoch.view > view.number) return "wait";
    if (!view.members.includes(this.#replica.name)) return "refuse";
    this.raise(ballot);
    if (!isSameBallot(this.promised, ballot)) return "refuse";
    if (!isSameBallot(this.#saved, ballot)) return "wait";
    if (request.service === "candidate") return "grant";
    return this.#hasOnDisk(request) ? "grant" : "wait";
  }

  /**
   * Whether this server's disk has the events to accept, and all events on which the term depends.
   */
  #hasOnDisk({ epoch, server, seq }: GrantRequest & { service: "accept" }): boolean {
    return (this.#replica.ledger.durable[server] ?? 0) >= seq && this.#hasSeen(epoch);
  }

  #hasSeen(epoch: Epoch): boolean {
    const term = this.#terms.of(epoch);
    return term !== undefined && covers(this.#replica.ledger.durable, term.sees);
  }
}
