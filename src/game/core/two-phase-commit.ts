import { gameDurations, gameLimits } from "../../protocol/game-limits.ts";
import type { GameName } from "../../protocol/matches.ts";
import type { GameMessage, Now, Refusal } from "./effects.ts";
import type { Figures } from "./figures.ts";
import type { HeldMatch } from "./held-match.ts";
import type { Operation } from "./match-event.ts";
import { firstOf } from "./stamps.ts";

/** What became of an operation. `moved` if another game server hosts the match, and must be asked. */
export type Outcome =
  | { readonly eventSeq: number }
  | { readonly refused: Refusal }
  | { readonly moved: true };

/** Told what became of an operation. */
export interface Waiter {
  settle(outcome: Outcome): void;
}

interface Queued {
  readonly operation: Operation;
  readonly sinceMs: number;
  /** A player may ask two servers with one id: each of them waits. */
  readonly waiters: Waiter[];
}

/** The most that wait for one operation: a server that asks again no longer needs its first try. */
const mostWaiters = 4;

interface Proposal {
  readonly round: number;
  readonly queued: readonly Queued[];
  readonly timeMs: number;
  readonly startedMs: number;
  phase: "proposed" | "checked" | "committing";
  sentMs: number;
  /** The message that the shadow has not answered yet. */
  message: GameMessage;
}

interface Parts {
  send(to: GameName, message: GameMessage): void;
  /** All holders have this many events on their disks, so that players may be told of them. */
  onAgreed(length: number): void;
  readonly figures: Figures;
}

/**
 * The host's side of a match: gets operations committed by host and shadow, one proposal at a time.
 *
 *     propose → ack → check → checked → commit (on both disks) → committed
 *
 * Until `commit` either of them can refuse, and the proposal is rolled back. From then on the events
 * are in the host's log, and only a higher term can replace them. A host without a shadow commits
 * at once.
 */
export class TwoPhaseCommit {
  readonly #held: HeldMatch;
  readonly #parts: Parts;
  #queue: Queued[] = [];
  #proposal: Proposal | undefined;
  #round = 0;
  /** How many events the shadow has on its disk; undefined until it has the log of this term. */
  #copied: number | undefined;
  #adoptSentMs = Number.NEGATIVE_INFINITY;
  #agreed = 0;
  /** What players were refused here, so that a late copy of the request does not take effect. */
  readonly #refused = new Map<string, Refusal>();
  readonly #settling: { readonly operation: string; readonly waiter: Waiter }[] = [];

  constructor(held: HeldMatch, parts: Parts) {
    this.#held = held;
    this.#parts = parts;
  }

  /** Begins the host's work in a term: the shadow gets the whole log first. */
  begin(now: Now): void {
    this.#copied = undefined;
    const given = this.#proposal;
    this.#proposal = undefined;
    // What was proposed in a former term, and is not in the log, is proposed again.
    const isOpen = ({ operation }: Queued) => this.#held.doneAt(operation.id) === undefined;
    if (given !== undefined) this.#queue = [...given.queued.filter(isOpen), ...this.#queue];
    this.#adopt(now);
    this.count(now);
    this.advance(now);
  }

  /** Takes an operation. A repeated one is not done again, and has the outcome of the first. */
  offer(operation: Operation, waiter: Waiter | undefined, now: Now): void {
    this.#held.hear(operation.stamp);
    if (this.#held.doneAt(operation.id) !== undefined) {
      if (waiter !== undefined) this.#settling.push({ operation: operation.id, waiter });
      return this.#settle();
    }
    const refused = this.#refused.get(operation.id);
    if (refused !== undefined) return waiter?.settle({ refused });
    const waiters = waiter === undefined ? [] : [waiter];
    const known = [...this.#queue, ...(this.#proposal?.queued ?? [])].find((queued) => {
      return queued.operation.id === operation.id;
    });
    if (known !== undefined) {
      known.waiters.push(...waiters);
      if (known.waiters.length > mostWaiters) known.waiters.shift();
    } else if (this.#queue.length >= gameLimits.waitingOperations) {
      waiter?.settle({ refused: "unavailable" });
    } else this.#queue.push({ operation, sinceMs: now.steadyMs, waiters });
    this.advance(now);
  }

  /** Handles a message of the shadow in the present term. */
  hear(message: GameMessage, now: Now): void {
    const proposal = this.#proposal;
    switch (message.type) {
      case "behind":
        if (this.#copied !== undefined) this.#adoptSentMs = Number.NEGATIVE_INFINITY;
        this.#copied = undefined;
        return this.#adopt(now);
      case "committed":
        this.#copied = Math.max(this.#copied ?? 0, message.length);
        this.count(now);
        return this.advance(now);
      case "ack":
      case "checked": {
        if (proposal === undefined || proposal.round !== message.round) return;
        const wanted = message.type === "ack" ? "proposed" : "checked";
        if (proposal.phase !== wanted) return;
        if (message.refused !== undefined) return this.#rollBack("unavailable", now);
        if (message.type === "checked") return this.#commit(proposal, now);
        proposal.phase = "checked";
        return this.#say(proposal, { ...this.#of(proposal), type: "check" }, now);
      }
    }
  }

  /** Sends again what was not answered, and gives up what was not agreed to in time. */
  tick(now: Now): void {
    const proposal = this.#proposal;
    // A late word of the shadow may have lowered what it is known to have.
    const isShort = proposal === undefined && this.#copied !== this.#held.length;
    if (this.#copied === undefined || isShort) this.#adopt(now);
    if (proposal !== undefined) {
      const isLate = now.steadyMs - proposal.startedMs >= gameDurations.agreeMs;
      if (isLate && proposal.phase !== "committing") return this.#rollBack("unavailable", now);
      const isUnheard = now.steadyMs - proposal.sentMs >= gameDurations.askAgainMs;
      if (isUnheard) this.#say(proposal, proposal.message, now);
    }
    const isOld = ({ sinceMs }: Queued) => now.steadyMs - sinceMs >= gameDurations.agreeMs;
    for (const queued of this.#queue.filter(isOld)) tell(queued, { refused: "unavailable" });
    this.#queue = this.#queue.filter((queued) => !isOld(queued));
    this.advance(now);
  }

  /** This server hosts the match no longer. */
  end(): void {
    const open = [...(this.#proposal?.queued ?? []), ...this.#queue];
    this.#queue = [];
    this.#proposal = undefined;
    for (const queued of open) tell(queued, { moved: true });
    for (const { waiter } of this.#settling.splice(0)) waiter.settle({ moved: true });
  }

  /** Counts what both disks have. */
  count({ steadyMs }: Now): void {
    const { durable, term } = this.#held;
    const both = term.shadow === undefined ? durable : Math.min(durable, this.#copied ?? 0);
    if (both > this.#agreed) {
      this.#agreed = both;
      this.#parts.onAgreed(both);
      this.#settle();
    }
    const proposal = this.#proposal;
    if (proposal?.phase !== "committing" || both < this.#held.length) return;
    this.#proposal = undefined;
    const { figures } = this.#parts;
    figures.committed += proposal.queued.length;
    figures.onReplicated(steadyMs - proposal.startedMs);
  }

  /** Begins the next proposal, if none is open. */
  advance(now: Now): void {
    const { shadow } = this.#held.term;
    if (this.#proposal !== undefined || this.#queue.length === 0) return;
    if (shadow !== undefined && this.#copied !== this.#held.length) return;
    const queued = this.#valid(this.#taken(), now.wallMs);
    if (queued.length === 0) return this.advance(now);
    this.#round += 1;
    const { match, term, length } = this.#held;
    const operations = queued.map(({ operation }) => operation);
    const of = { match, term: term.term, round: this.#round, base: length } as const;
    const message = { type: "propose", ...of, timeMs: now.wallMs, operations } as const;
    const proposal: Proposal = {
      round: this.#round,
      queued,
      timeMs: now.wallMs,
      startedMs: now.steadyMs,
      phase: "proposed",
      sentMs: now.steadyMs,
      message,
    };
    this.#proposal = proposal;
    if (shadow === undefined) this.#commit(proposal, now);
    else this.#say(proposal, message, now);
  }

  /** Returns the operations that the rules allow, and refuses the others. */
  #valid(queued: readonly Queued[], timeMs: number): readonly Queued[] {
    const judged = this.#held.judged(
      queued.map(({ operation }) => operation),
      timeMs,
    );
    return queued.filter((one, at) => {
      const drafts = judged[at];
      if (typeof drafts !== "string") return true;
      if (one.waiters.length > 0) this.#refuse(one, drafts);
      return false;
    });
  }

  #refuse(queued: Queued, refused: Refusal): void {
    this.#parts.figures.refused += 1;
    this.#refused.set(queued.operation.id, refused);
    const [oldest] = this.#refused.keys();
    const isFull = this.#refused.size > gameLimits.rememberedRefusals;
    if (isFull && oldest !== undefined) this.#refused.delete(oldest);
    tell(queued, { refused });
  }

  /** Takes operations from the queue in the order of their vector clocks. */
  #taken(): readonly Queued[] {
    const taken: Queued[] = [];
    while (this.#queue.length > 0 && taken.length < gameLimits.proposalOperations) {
      const at = firstOf(this.#queue.map(({ operation }) => operation));
      taken.push(...this.#queue.splice(at, 1));
    }
    return taken;
  }

  #commit(proposal: Proposal, now: Now): void {
    const held = this.#held;
    const operations = proposal.queued.map(({ operation }) => operation);
    const drafts = held.drafted(operations, proposal.timeMs);
    const events = held.made(drafts, proposal.timeMs);
    proposal.phase = "committing";
    for (const { operation, waiters } of proposal.queued) {
      for (const waiter of waiters) this.#settling.push({ operation: operation.id, waiter });
    }
    held.append(events, (then) => this.stored(then));
    this.#say(proposal, { ...this.#of(proposal), type: "commit", events }, now);
  }

  /** Continues once the host's own disk has more events. */
  stored(now: Now): void {
    this.count(now);
    this.advance(now);
  }

  #rollBack(refused: Refusal, now: Now): void {
    const proposal = this.#proposal;
    if (proposal === undefined) return;
    this.#proposal = undefined;
    this.#parts.figures.rolledBack += proposal.queued.length;
    this.#say(proposal, { ...this.#of(proposal), type: "rollback" }, now);
    for (const queued of proposal.queued) tell(queued, { refused });
    this.advance(now);
  }

  #of({ round }: Proposal) {
    return { match: this.#held.match, term: this.#held.term.term, round };
  }

  #say(proposal: Proposal, message: GameMessage, now: Now): void {
    proposal.message = message;
    proposal.sentMs = now.steadyMs;
    const { shadow } = this.#held.term;
    if (shadow !== undefined) this.#parts.send(shadow, message);
  }

  #adopt({ steadyMs }: Now): void {
    const { match, term, events } = this.#held;
    if (term.shadow === undefined) return;
    if (steadyMs - this.#adoptSentMs < gameDurations.askAgainMs) return;
    this.#adoptSentMs = steadyMs;
    this.#parts.send(term.shadow, { type: "adopt", match, term, events });
  }

  /** Tells those whose operation both holders have. */
  #settle(): void {
    for (const [at, { operation, waiter }] of [...this.#settling.entries()].reverse()) {
      const eventSeq = this.#held.doneAt(operation);
      if (eventSeq !== undefined && eventSeq >= this.#agreed) continue;
      this.#settling.splice(at, 1);
      waiter.settle(eventSeq === undefined ? { refused: "unavailable" } : { eventSeq });
    }
  }
}

function tell({ waiters }: Queued, outcome: Outcome): void {
  for (const waiter of waiters.splice(0)) waiter.settle(outcome);
}
