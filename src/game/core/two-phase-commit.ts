import { gameDurations, gameLimits } from "../../protocol/game-limits.ts";
import type { GameName } from "../../protocol/matches.ts";
import type { GameMessage, Now, Refusal } from "./effects.ts";
import type { Figures } from "./figures.ts";
import type { MatchCopy } from "./match-copy.ts";
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
  /** Steady time at which it came. */
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
  phase: "proposed" | "checking" | "committing";
  /** Whether it was proposed before with fewer operations. */
  readonly isWidened: boolean;
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
 *
 * If operations wait when the first `ack` comes, the host replaces the proposal, once, by one that
 * also has these operations. So two plays at the same moment need one commit.
 */
export class TwoPhaseCommit {
  readonly #copy: MatchCopy;
  readonly #parts: Parts;
  #queue: Queued[] = [];
  #proposal: Proposal | undefined;
  #round = 0;
  /** How many events the shadow has on its disk; undefined until it has the log of this term. */
  #copied: number | undefined;
  #adoptSentMs = Number.NEGATIVE_INFINITY;
  #agreed = 0;
  #hasEnded = false;
  /** What players were refused here, so that a late copy of the request does not take effect. */
  readonly #refused = new Map<string, Refusal>();
  readonly #settling: { readonly operation: string; readonly waiter: Waiter }[] = [];

  constructor(copy: MatchCopy, parts: Parts) {
    this.#copy = copy;
    this.#parts = parts;
  }

  /** Begins the host's work in a term: the shadow gets the whole log first. */
  begin(now: Now): void {
    this.#copied = undefined;
    this.#takeBack();
    this.#adopt(now);
    this.count(now);
    this.advance(now);
  }

  /** Takes an operation. A repeated one is not done again, and has the outcome of the first. */
  offer(operation: Operation, waiter: Waiter | undefined, now: Now): void {
    this.#copy.hear(operation.stamp);
    if (this.#copy.doneAt(operation.id) !== undefined) {
      if (waiter !== undefined) this.#awaitDisks(operation, waiter);
      return this.#settle();
    }
    const refused = this.#refused.get(operation.id);
    if (refused !== undefined) return waiter?.settle({ refused });
    const waiters = waiter === undefined ? [] : [waiter];
    const known = this.#unsettled().find((queued) => queued.operation.id === operation.id);
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
    switch (message.type) {
      case "behind":
        if (this.#copied !== undefined) this.#adoptSentMs = Number.NEGATIVE_INFINITY;
        this.#copied = undefined;
        // The shadow does not know the proposal, so it is made anew.
        if (this.#proposal?.phase !== "committing") this.#takeBack();
        return this.#adopt(now);
      case "committed":
        this.#copied = Math.max(this.#copied ?? 0, message.length);
        this.count(now);
        return this.advance(now);
      case "ack":
      case "checked": {
        const proposal = this.#proposal;
        const phase = message.type === "ack" ? "proposed" : "checking";
        if (proposal?.round !== message.round || proposal.phase !== phase) return;
        if (message.refused !== undefined) return this.#rollBack(proposal, now);
        if (message.type === "checked") return this.#commit(proposal, now);
        if (this.#mayWiden(proposal, now)) return this.#widen(proposal, now);
        proposal.phase = "checking";
        return this.#say(proposal, { ...this.#of(proposal), type: "check" }, now);
      }
    }
  }

  /** Sends again what was not answered, and gives up what was not agreed to in time. */
  tick(now: Now): void {
    // A late word of the shadow may have lowered what it is known to have.
    const proposal = this.#proposal;
    const isShort = proposal === undefined && this.#copied !== this.#copy.length;
    if (this.#copied === undefined || isShort) this.#adopt(now);
    if (proposal !== undefined) {
      const isLate = now.steadyMs - proposal.startedMs >= gameDurations.agreeMs;
      if (isLate && proposal.phase !== "committing") return this.#rollBack(proposal, now);
      const isUnheard = now.steadyMs - proposal.sentMs >= gameDurations.askAgainMs;
      if (isUnheard) this.#say(proposal, proposal.message, now);
    }
    const isOld = ({ sinceMs }: Queued) => now.steadyMs - sinceMs >= gameDurations.agreeMs;
    for (const queued of this.#queue.filter(isOld)) tell(queued, { refused: "unavailable" });
    this.#queue = this.#queue.filter((queued) => !isOld(queued));
    this.advance(now);
  }

  /** This server hosts the match no longer. What its disk still writes is not agreed to by anybody. */
  end(): void {
    this.#hasEnded = true;
    const unsettled = this.#unsettled();
    this.#queue = [];
    this.#proposal = undefined;
    for (const queued of unsettled) tell(queued, { moved: true });
    for (const { waiter } of this.#settling.splice(0)) waiter.settle({ moved: true });
  }

  /** Counts what both disks have. */
  count({ steadyMs }: Now): void {
    const { durable, term } = this.#copy;
    const both = term.shadow === undefined ? durable : Math.min(durable, this.#copied ?? 0);
    if (both > this.#agreed) {
      this.#agreed = both;
      this.#parts.onAgreed(both);
      this.#settle();
    }
    const proposal = this.#proposal;
    if (proposal?.phase !== "committing" || both < this.#copy.length) return;
    this.#proposal = undefined;
    const { figures } = this.#parts;
    figures.committed += proposal.queued.length;
    figures.onReplicated(steadyMs - proposal.startedMs);
  }

  /** Begins the next proposal, if none is open. */
  advance(now: Now): void {
    const { term, length } = this.#copy;
    if (this.#proposal !== undefined || this.#queue.length === 0) return;
    if (term.shadow !== undefined && this.#copied !== length) return;
    this.#propose({ startedMs: now.steadyMs, isWidened: false }, now);
  }

  #mayWiden({ isWidened, queued, startedMs }: Proposal, { steadyMs }: Now): boolean {
    const isFull = queued.length >= gameLimits.proposalOperations;
    // What joins a proposal is given up together with it.
    const isNew = steadyMs - startedMs < gameDurations.askAgainMs;
    return !isWidened && !isFull && isNew && this.#queue.length > 0;
  }

  #widen(proposal: Proposal, now: Now): void {
    this.#takeBack();
    this.#propose({ startedMs: proposal.startedMs, isWidened: true }, now);
    if (this.#proposal !== undefined) return;
    // Meanwhile the rules refuse all of it, so no other proposal takes its place at the shadow.
    this.#say(proposal, { ...this.#of(proposal), type: "rollback" }, now);
  }

  #propose(of: Pick<Proposal, "startedMs" | "isWidened">, now: Now): void {
    const queued = this.#taken(now);
    if (queued.length === 0) return;
    this.#round += 1;
    const { match, term, length } = this.#copy;
    const message: GameMessage = {
      type: "propose",
      match,
      term: term.term,
      round: this.#round,
      base: length,
      timeMs: now.wallMs,
      operations: queued.map(({ operation }) => operation),
    };
    const proposal: Proposal = {
      ...of,
      round: this.#round,
      queued,
      timeMs: now.wallMs,
      phase: "proposed",
      sentMs: now.steadyMs,
      message,
    };
    this.#proposal = proposal;
    if (term.shadow === undefined) this.#commit(proposal, now);
    else this.#say(proposal, message, now);
  }

  /**
   * Takes operations from the queue in the order of their vector clocks, as far as the rules allow
   * them. One is refused only once both disks have all that refuses it; until then it waits, and so
   * do those after it.
   */
  #taken({ wallMs }: Now): readonly Queued[] {
    const queued: Queued[] = [];
    let after = this.#copy.state;
    while (queued.length < gameLimits.proposalOperations) {
      const at = firstOf(this.#queue.map(({ operation }) => operation));
      const next = this.#queue[at];
      if (next === undefined) break;
      const tried = this.#copy.tried([next.operation], wallMs, after);
      const [outcome] = tried.outcomes;
      const isRefused = typeof outcome === "string";
      if (isRefused && after.length > this.#agreed) break;
      this.#queue.splice(at, 1);
      if (isRefused) this.#refuse(next, outcome);
      else {
        queued.push(next);
        after = tried.after;
      }
    }
    return queued;
  }

  #refuse(queued: Queued, refused: Refusal): void {
    // One of the host itself, which makes it anew while it is due.
    if (queued.waiters.length === 0) return;
    this.#parts.figures.refused += 1;
    this.#refused.set(queued.operation.id, refused);
    const [oldest] = this.#refused.keys();
    const isFull = this.#refused.size > gameLimits.rememberedRefusals;
    if (isFull && oldest !== undefined) this.#refused.delete(oldest);
    tell(queued, { refused });
  }

  #commit(proposal: Proposal, now: Now): void {
    const copy = this.#copy;
    const operations = proposal.queued.map(({ operation }) => operation);
    const drafts = copy.drafted(operations, proposal.timeMs);
    const events = copy.made(drafts, proposal.timeMs);
    proposal.phase = "committing";
    for (const { operation, waiters } of proposal.queued) {
      for (const waiter of waiters.splice(0)) this.#awaitDisks(operation, waiter);
    }
    copy.append(events, (then) => this.stored(then));
    this.#say(proposal, { ...this.#of(proposal), type: "commit", events }, now);
  }

  /** Continues once the host's own disk has more events. */
  stored(now: Now): void {
    if (this.#hasEnded) return;
    this.count(now);
    this.advance(now);
  }

  #rollBack(proposal: Proposal, now: Now): void {
    this.#proposal = undefined;
    this.#parts.figures.rolledBack += proposal.queued.length;
    this.#say(proposal, { ...this.#of(proposal), type: "rollback" }, now);
    for (const queued of proposal.queued) tell(queued, { refused: "unavailable" });
    this.advance(now);
  }

  /** Ends the proposal without an outcome: what of it is not in the log is proposed again. */
  #takeBack(): void {
    const undone = (this.#proposal?.queued ?? []).filter(({ operation }) => {
      return this.#copy.doneAt(operation.id) === undefined;
    });
    this.#queue.unshift(...undone);
    this.#proposal = undefined;
  }

  #unsettled(): readonly Queued[] {
    return [...(this.#proposal?.queued ?? []), ...this.#queue];
  }

  #of({ round }: Proposal) {
    return { match: this.#copy.match, term: this.#copy.term.term, round };
  }

  #say(proposal: Proposal, message: GameMessage, now: Now): void {
    proposal.message = message;
    proposal.sentMs = now.steadyMs;
    const { shadow } = this.#copy.term;
    if (shadow !== undefined) this.#parts.send(shadow, message);
  }

  #adopt({ steadyMs }: Now): void {
    const { match, term, events } = this.#copy;
    if (term.shadow === undefined) return;
    if (steadyMs - this.#adoptSentMs < gameDurations.askAgainMs) return;
    this.#adoptSentMs = steadyMs;
    this.#parts.send(term.shadow, { type: "adopt", match, term, events });
  }

  /** The waiter is told of an operation in the log once both disks have it. */
  #awaitDisks({ id }: Operation, waiter: Waiter): void {
    const same = this.#settling.filter(({ operation }) => operation === id);
    const [oldest] = same;
    if (oldest !== undefined && same.length >= mostWaiters) {
      this.#settling.splice(this.#settling.indexOf(oldest), 1);
    }
    this.#settling.push({ operation: id, waiter });
  }

  /** Tells those whose operation both holders have. */
  #settle(): void {
    for (const [at, { operation, waiter }] of [...this.#settling.entries()].reverse()) {
      const eventSeq = this.#copy.doneAt(operation);
      if (eventSeq !== undefined && eventSeq >= this.#agreed) continue;
      this.#settling.splice(at, 1);
      waiter.settle(eventSeq === undefined ? { refused: "unavailable" } : { eventSeq });
    }
  }
}

function tell({ waiters }: Queued, outcome: Outcome): void {
  for (const waiter of waiters.splice(0)) waiter.settle(outcome);
}
