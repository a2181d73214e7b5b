import {
  type Ballot,
  compareEpochs,
  type Epoch,
  isSameBallot,
  noBallot,
} from "../../../protocol/epoch.ts";
import type { ServerName } from "../../../protocol/ids.ts";
import { durations } from "../../../protocol/limits.ts";
import type { OfficeRequest } from "../../../protocol/messages.ts";
import { covers } from "../../../protocol/vector.ts";
import type { Effect, Now, ReplyTo } from "../effects.ts";
import type { CatchUp } from "../replica/catch-up.ts";
import type { Ledger } from "../replica/ledger.ts";
import type { Replication } from "../replica/replication.ts";
import type { Offices } from "./offices.ts";

/** What a candidate or coordinator asks of every member of its view. */
export type Proposal = OfficeRequest & { readonly service: "candidate" | "accept" };

interface Asked {
  readonly to: ReplyTo;
  readonly request: Proposal;
  readonly untilMs: number;
}

export interface Verdict {
  readonly to: ReplyTo;
  readonly service: Proposal["service"];
  readonly isGranted: boolean;
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
  readonly #name: ServerName;
  readonly #ledger: Ledger;
  readonly #replication: Replication;
  readonly #catchUp: CatchUp;
  readonly #offices: Offices;

  constructor(parts: {
    name: ServerName;
    ledger: Ledger;
    replication: Replication;
    catchUp: CatchUp;
    offices: Offices;
  }) {
    this.#name = parts.name;
    this.#ledger = parts.ledger;
    this.#replication = parts.replication;
    this.#catchUp = parts.catchUp;
    this.#offices = parts.offices;
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
  raise(ballot: Ballot): Effect[] {
    if (compareEpochs(ballot.epoch, this.promised.epoch) <= 0) return [];
    this.promised = ballot;
    return [{ type: "savePromise", ballot }];
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
    const { view, adopting } = this.#replication;
    const isInView = adopting === undefined && view.number === ballot.epoch.view;
    return isInView && view.members.includes(this.#name) && isSameBallot(this.promised, ballot);
  }

  ask(to: ReplyTo, request: Proposal, now: Now): void {
    // What an office stands on may have come to the asker alone: it is fetched at once.
    if (request.service === "accept" && !this.#hasSeen(request.epoch)) {
      this.#catchUp.sawGap(request.server);
    }
    const untilMs = now.steadyMs + durations.peerRequestMs;
    this.#asked.set(`${request.server} ${request.service}`, { to, request, untilMs });
  }

  /** Answers what can be answered now. @param effects takes what is to be saved before */
  *verdicts(effects: Effect[], now: Now): Generator<Verdict> {
    if (this.#asked.size === 0) return;
    for (const [key, { to, request, untilMs }] of this.#asked) {
      const verdict = this.#judge(request, effects);
      if (verdict !== "wait" || now.steadyMs >= untilMs) this.#asked.delete(key);
      if (verdict === "wait") continue;
      yield { to, service: request.service, isGranted: verdict === "grant" };
    }
  }

  #judge(request: Proposal, effects: Effect[]): "grant" | "refuse" | "wait" {
    const { epoch } = request;
    const ballot: Ballot = { epoch, candidate: request.server };
    const { view, adopting } = this.#replication;
    // Neither promised nor accepted below the adopted view; above it, once it is adopted.
    if (epoch.view < (adopting ?? view).number) return "refuse";
    if (adopting !== undefined || epoch.view > view.number) return "wait";
    if (!view.members.includes(this.#name)) return "refuse";
    for (const effect of this.raise(ballot)) effects.push(effect);
    if (!isSameBallot(this.promised, ballot)) return "refuse";
    if (!isSameBallot(this.#saved, ballot)) return "wait";
    if (request.service === "candidate") return "grant";
    return this.#hasOnDisk(request) ? "grant" : "wait";
  }

  /** All that the office stands on, and the asker's own events that are to be accepted. */
  #hasOnDisk({ epoch, server, seq }: Proposal & { service: "accept" }): boolean {
    return (this.#ledger.durable[server] ?? 0) >= seq && this.#hasSeen(epoch);
  }

  #hasSeen(epoch: Epoch): boolean {
    const office = this.#offices.of(epoch);
    return office !== undefined && covers(this.#ledger.durable, office.sees);
  }
}
