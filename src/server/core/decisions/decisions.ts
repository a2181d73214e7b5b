import type { Epoch } from "../../../protocol/epoch.ts";
import { durations, limits } from "../../../protocol/limits.ts";
import { type Decided, keyOf, type Operation } from "../../../protocol/operation.ts";
import type { CoordinationRequest, ForwardedEnd } from "../../../protocol/peer-messages.ts";
import type { ClockSync } from "../coordinator/clock-sync.ts";
import type { Election } from "../coordinator/election.ts";
import type { Answered, Now } from "../effects.ts";
import type { LedgerOf } from "../replica/ledger.ts";
import type { Replica } from "../replica/replica.ts";
import type { DecisionData } from "./decision-facts.ts";
import type { DecisionLog } from "./decision-log.ts";

/** Somebody who waits for the outcome of an operation. */
export interface Waiter {
  readonly deadlineMs: number;
  /** @param decided undefined if the operation is undecided; it may still be decided later */
  settle(decided: Decided | undefined, now: Now): void;
}

interface Asked {
  readonly operation: Operation;
  readonly bytes: number;
  /** The requests of this server's clients, and those of the servers that forwarded the operation. */
  readonly waiters: (Waiter & { readonly isForwarded: boolean })[];
}

interface DecisionsParts {
  readonly replica: Replica;
  readonly log: DecisionLog;
  readonly election: Election;
  readonly clockSync: ClockSync;
}

type ForwardRequest = CoordinationRequest & { readonly service: "forward" };

/**
 * Gets operations decided (D1, D3, D4). A server that is not coordinator forwards them. The
 * coordinator puts all that wait into a decision. Once a quorum has accepted the decision, the
 * coordinator appends the mark, and applies the decision. A server that has applied an operation
 * tells its outcome.
 */
export class Decisions {
  readonly #parts: DecisionsParts;
  readonly #ledger: LedgerOf<DecisionData>;
  readonly #asked = new Map<string, Asked>();
  /** The operations that are in no decision of this term, and in no open message to a coordinator. */
  readonly #waiting = new Set<Asked>();
  readonly #told: { readonly asked: Asked; readonly decided: Decided }[] = [];
  #ownEpoch: Epoch | undefined;
  /** The slot of this term's next decision. */
  #next = 0;
  /** This term's decisions that are not settled yet, in the order of their slots. */
  #unsettled: { readonly slot: number; readonly seq: number }[] = [];
  #coordinator = "";
  readonly #forwards = new Map<CoordinationRequest, readonly Asked[]>();
  #forwardAgainMs = 0;
  #checkedMs = 0;
  /** The number of operations whose outcome was told, by outcome; a metric needs one from the start. */
  readonly outcomes: Record<string, number> = { done: 0 };

  constructor(parts: DecisionsParts) {
    this.#parts = parts;
    this.#ledger = parts.replica.ledger;
    parts.log.onApplied = (operation, decided) => {
      const asked = this.#asked.get(keyOf(operation));
      if (asked !== undefined) this.#told.push({ asked, decided });
    };
  }

  get open(): number {
    return this.#asked.size;
  }

  /** Whether an operation is in no decision, and in no open message to a coordinator. */
  get hasWaiting(): boolean {
    return this.#waiting.size > 0;
  }

  get isAnyOpen(): boolean {
    return this.#asked.size > 0 || this.#unsettled.length > 0 || this.#leftSlot >= this.#next;
  }

  /**
   * Whether so many operations wait that a new one of a client would not be decided in time.
   * @param own the undecided operations of this server's clients
   */
  isFull(own: number): boolean {
    return own >= limits.openOperations || this.#asked.size >= limits.coordinatorOperations;
  }

  ask(operation: Operation, waiter: Waiter, isForwarded = false): void {
    const key = keyOf(operation);
    let asked = this.#asked.get(key);
    if (asked === undefined) {
      asked = { operation, bytes: JSON.stringify(operation).length, waiters: [] };
      this.#asked.set(key, asked);
      this.#waiting.add(asked);
    }
    asked.waiters.push({ ...waiter, isForwarded });
  }

  /** Gets an operation decided for whose outcome nobody waits. */
  submit(operation: Operation, { steadyMs }: Now): void {
    this.ask(operation, { deadlineMs: steadyMs + durations.decideMs, settle: () => {} });
  }

  /** Handles operations that another server forwards. Answers once all are decided or given up. */
  onForward(
    operations: readonly Operation[],
    now: Now,
    answer: (ends: (ForwardedEnd | undefined)[]) => void,
  ): void {
    const ends: (ForwardedEnd | undefined)[] = operations.map(() => undefined);
    const isCoordinator = this.#parts.election.ownEpoch !== undefined;
    if (!isCoordinator || operations.length === 0) return answer(ends);
    if (this.#asked.size + operations.length > limits.coordinatorOperations) return;
    let open = operations.length;
    const deadlineMs = now.steadyMs + durations.peerRequestMs;
    for (const [at, operation] of operations.entries()) {
      const settle = (decided: Decided | undefined) => {
        ends[at] = decided && endOf(decided, operation);
        open -= 1;
        if (open === 0) answer(ends);
      };
      const known = this.#parts.log.find(operation.by, operation.id);
      if (known !== undefined) settle(known);
      else this.ask(operation, { deadlineMs, settle }, true);
    }
  }

  /** Handles the coordinator's answer to forwarded operations; what is undecided is forwarded again. */
  onForwarded({ request, answer }: Answered<ForwardRequest>, now: Now): void {
    const forwarded = this.#forwards.get(request) ?? [];
    this.#forwards.delete(request);
    const ends = answer?.service === "forward" ? answer.ends : [];
    for (const [at, asked] of forwarded.entries()) {
      if (this.#asked.get(keyOf(asked.operation)) !== asked) continue;
      const end = ends[at];
      if (end !== undefined) {
        this.#told.push({
          asked,
          decided: { ...end, operation: end.operation ?? asked.operation },
        });
        continue;
      }
      this.#waiting.add(asked);
      this.#forwardAgainMs = now.steadyMs + durations.askAgainMs;
    }
  }

  /** Marks, tells, proposes and forwards what is possible now. Called in every step. */
  advance(now: Now): void {
    this.#noteTerm(now);
    if (this.#ownEpoch !== undefined) this.#mark(this.#ownEpoch, now);
    for (const { asked, decided } of this.#told.splice(0)) this.#settle(asked, decided, now);
    if (now.steadyMs - this.#checkedMs >= durations.tickMs) this.#giveUp(now);
    if (this.#ownEpoch === undefined) this.#forward(now);
    else this.#propose(this.#ownEpoch, now);
  }

  #noteTerm(now: Now): void {
    const { ownEpoch } = this.#parts.election;
    if (ownEpoch === this.#ownEpoch) return;
    this.#ownEpoch = ownEpoch;
    this.#next = this.#parts.log.applied + 1;
    this.#unsettled = [];
    this.#forwards.clear();
    for (const [key, asked] of this.#asked) {
      this.#drop(asked, now, ({ isForwarded }) => isForwarded);
      if (this.#asked.has(key)) this.#waiting.add(asked);
    }
  }

  /** The highest slot that an earlier term has left open, and that must be proposed again (D3). */
  get #leftSlot(): number {
    return this.#ownEpoch === undefined ? -1 : this.#parts.log.highestBelow(this.#ownEpoch);
  }

  /** Appends the mark for the decisions that a quorum has accepted, at once (D4). */
  #mark(epoch: Epoch, now: Now): void {
    const { accepted } = this.#parts.election;
    const isSettled = ({ seq }: { readonly seq: number }) => seq <= accepted;
    const upTo = this.#unsettled.findLast(isSettled)?.slot;
    if (upTo === undefined) return;
    this.#unsettled = this.#unsettled.filter(({ slot }) => slot > upTo);
    this.#ledger.make("settled", { epoch, upTo }, this.#parts.clockSync.correctedMs(now));
  }

  #propose(epoch: Epoch, now: Now): void {
    const { log, replica } = this.#parts;
    while (this.#unsettled.length < limits.openDecisions) {
      // A slot that a mark of another term has settled meanwhile is applied, and needs no decision.
      this.#next = Math.max(this.#next, log.applied + 1);
      const slot = this.#next;
      if (slot <= this.#leftSlot) {
        const left = log.standing(slot, epoch);
        if (left === undefined) {
          const text = `Nobody has a decision of slot ${slot}: it is filled with an empty one`;
          replica.effects.log("error", text, { slot });
        }
        this.#decide({ epoch, slot, time: left?.time ?? 0, ops: left?.ops ?? [] }, now);
      } else {
        if (this.#waiting.size === 0 || replica.replication.memberWithoutDecisions(now.steadyMs)) {
          return;
        }
        const time = Math.max(0, Math.round(this.#parts.clockSync.correctedMs(now)));
        const ops = this.#takeWaiting().map(({ operation }) => operation);
        this.#decide({ epoch, slot, time, ops }, now);
      }
    }
  }

  #decide(decision: DecisionData["decision"], now: Now): void {
    const { election, clockSync } = this.#parts;
    const { seq } = this.#ledger.make("decision", decision, clockSync.correctedMs(now));
    this.#unsettled.push({ slot: decision.slot, seq });
    this.#next = decision.slot + 1;
    election.want(seq);
  }

  /** Takes the operations that wait, up to the limits of one decision. */
  #takeWaiting(): Asked[] {
    const taken: Asked[] = [];
    let bytes = 0;
    for (const asked of this.#waiting) {
      bytes += asked.bytes;
      if (taken.length === limits.decisionOperations) break;
      if (taken.length > 0 && bytes > limits.decisionBytes) break;
      this.#waiting.delete(asked);
      taken.push(asked);
    }
    return taken;
  }

  #forward(now: Now): void {
    const { election, replica } = this.#parts;
    const coordinator = election.current(now)?.name ?? "";
    if (coordinator !== this.#coordinator) {
      // The former coordinator may never answer.
      this.#coordinator = coordinator;
      this.#forwardAgainMs = 0;
      for (const asked of [...this.#forwards.values()].flat()) {
        if (this.#asked.get(keyOf(asked.operation)) === asked) this.#waiting.add(asked);
      }
      this.#forwards.clear();
    }
    if (coordinator === "" || this.#waiting.size === 0) return;
    const { name: peer, address } = replica.replication.peer(coordinator);
    const isSoon = now.steadyMs < this.#forwardAgainMs;
    if (address === "" || isSoon || this.#forwards.size >= limits.openForwards) return;
    const taken = this.#takeWaiting();
    const operations = taken.map(({ operation }) => operation);
    const request: ForwardRequest = { service: "forward", ...replica.summary(), operations };
    this.#forwards.set(request, taken);
    const patienceMs = durations.peerRequestMs;
    replica.effects.add({ type: "askPeer", peer, address, request, patienceMs });
  }

  #settle(asked: Asked, decided: Decided, now: Now): void {
    if (!this.#asked.delete(keyOf(asked.operation))) return;
    this.#waiting.delete(asked);
    const { outcome } = decided;
    this.outcomes[outcome] = (this.outcomes[outcome] ?? 0) + asked.waiters.length;
    for (const waiter of asked.waiters) waiter.settle(decided, now);
  }

  #giveUp(now: Now): void {
    this.#checkedMs = now.steadyMs;
    for (const asked of this.#asked.values()) {
      this.#drop(asked, now, ({ deadlineMs }) => now.steadyMs >= deadlineMs);
    }
  }

  /** Tells some of those who wait that the operation is undecided; forgets it if nobody else waits. */
  #drop(asked: Asked, now: Now, isDropped: (waiter: Asked["waiters"][number]) => boolean): void {
    const dropped = asked.waiters.filter(isDropped);
    if (dropped.length === 0) return;
    asked.waiters.splice(0, Infinity, ...asked.waiters.filter((one) => !dropped.includes(one)));
    if (asked.waiters.length === 0) {
      this.#asked.delete(keyOf(asked.operation));
      this.#waiting.delete(asked);
    }
    for (const waiter of dropped) waiter.settle(undefined, now);
  }
}

/** Returns the end to tell to the server that forwarded `operation`. */
function endOf(
  { slot, outcome, result, operation: first }: Decided,
  operation: Operation,
): ForwardedEnd {
  const isSame = JSON.stringify(first) === JSON.stringify(operation);
  return { slot, outcome, result, operation: isSame ? undefined : first };
}
