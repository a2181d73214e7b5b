import { compareEpochs, type Epoch, writeEpoch } from "../../../protocol/epoch.ts";
import type { Digest } from "../../../protocol/event.ts";
import { type Chain, emptyChain, type RequestId, type UserName } from "../../../protocol/ids.ts";
import { limits } from "../../../protocol/limits.ts";
import type { Decided, Operation } from "../../../protocol/operation.ts";
import type { Applied } from "../../../protocol/peer-messages.ts";
import type { Apply } from "./applying.ts";

/** The event `decision` of an epoch's coordinator. `time` and `ops` are its content (D1). */
export interface Decision {
  readonly epoch: Epoch;
  readonly slot: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly ops: readonly Operation[];
}

/** The event `settled`: a quorum has accepted this epoch's decisions up to the slot (D4). */
export interface Settled {
  readonly epoch: Epoch;
  readonly upTo: number;
}

export interface LogParts {
  readonly digest: Digest;
  /** The operations by kind. */
  readonly kinds: Readonly<Record<string, Apply>>;
  /** Returns the outcome of an operation that is too old to be done: `expired`, or a fact for good. */
  expired(operation: Operation): string;
}

/** The operations of one user that the log remembers (D9). Replaced as a whole, never changed. */
export interface Remembered {
  /** The last operations, oldest first. */
  readonly kept: readonly Decided[];
  /** The highest slot of an operation that is no longer kept. */
  readonly floor: number;
}

/** What a saved state has of the log, besides what is open. */
export interface LogHead {
  readonly applied: number;
  readonly digest: Chain;
  /** The highest time of the applied decisions. */
  readonly time: number;
}

/**
 * The decisions that this replica has applied, and those that wait to be settled (D2, D5, D6). The
 * state depends only on the set of events, not on the order in which they come (R4). This class
 * knows no kind of operation.
 */
export class DecisionLog {
  readonly #parts: LogParts;
  #head: LogHead = { applied: 0, digest: emptyChain, time: 0 };
  readonly #remembered = new Map<UserName, Remembered>();
  /** The decisions above the applied slot, by slot; those of one slot by rising epoch. */
  readonly #open = new Map<number, Decision[]>();
  /** Of each epoch the highest mark, if it is above the applied slot. */
  readonly #marks = new Map<string, Settled>();
  /** The digests of the last applied slots, to compare them with those of other members. */
  readonly #digests = new Map<number, Chain>();
  /** The kind of an operation that this version does not know: from its slot on nothing is applied. */
  unknownKind: string | undefined;
  /** The slot at which two settled decisions, or two saved states, were seen to differ. */
  differs: number | undefined;
  /** Called for each operation that is applied, with its outcome. */
  onApplied: (operation: Operation, decided: Decided) => void = () => {};

  constructor(parts: LogParts) {
    this.#parts = parts;
  }

  get applied(): number {
    return this.#head.applied;
  }

  get head(): LogHead {
    return this.#head;
  }

  /** The highest slot of which this replica has a decision or has applied one. */
  get highest(): number {
    let highest = this.applied;
    for (const slot of this.#open.keys()) if (slot > highest) highest = slot;
    return highest;
  }

  add(decision: Decision): void {
    const { slot, epoch } = decision;
    if (slot <= this.applied) return;
    const known = this.#open.get(slot) ?? [];
    if (known.some((other) => compareEpochs(other.epoch, epoch) === 0)) return;
    this.#open.set(slot, known.concat(decision).sort(byEpoch));
    this.#advance();
  }

  settle(mark: Settled): void {
    const key = writeEpoch(mark.epoch);
    if (mark.upTo <= Math.max(this.applied, this.#marks.get(key)?.upTo ?? 0)) return;
    this.#marks.set(key, mark);
    this.#advance();
  }

  /** Returns what came of the user's operation with this id, if the log still has it. */
  find(by: UserName, id: RequestId | undefined): Decided | undefined {
    if (id === undefined) return undefined;
    return this.#remembered.get(by)?.kept.find(({ operation }) => operation.id === id);
  }

  /** The highest open slot for which there is a decision of an epoch below this one; 0 if none. */
  highestBelow(epoch: Epoch): number {
    let highest = 0;
    for (const [slot, [lowest]] of this.#open) {
      if (lowest !== undefined && compareEpochs(lowest.epoch, epoch) < 0) {
        highest = Math.max(highest, slot);
      }
    }
    return highest;
  }

  /** Returns the decision that stands in a slot among those of epochs below this one (D2). */
  standing(slot: number, epoch: Epoch): Decision | undefined {
    const below = (other: Decision) => compareEpochs(other.epoch, epoch) < 0;
    return this.#open.get(slot)?.findLast(below);
  }

  /** Returns false if the other replica has applied the same slot with another result. */
  agrees({ slot, digest }: Applied): boolean {
    const own = this.#digests.get(slot);
    return own === undefined || own === digest;
  }

  // A saved state of this log. Nothing that it copies is changed later.

  remembered(): [UserName, Remembered][] {
    return [...this.#remembered];
  }

  open(): Decision[] {
    return [...this.#open.values()].flat().sort((a, b) => a.slot - b.slot || byEpoch(a, b));
  }

  marks(): Settled[] {
    return [...this.#marks.values()].sort(byEpoch);
  }

  /**
   * Begins to take in a saved state. Of two states the one that is further is taken as a whole, with
   * the open decisions and marks of both (D6).
   * @returns whether the saved state is the one that is further
   */
  takeHead(head: LogHead): boolean {
    const { applied, digest } = head;
    if (!this.agrees({ slot: applied, digest })) this.differs ??= applied;
    if (applied <= this.applied) return false;
    this.#head = head;
    this.#digests.set(applied, digest);
    this.#remembered.clear();
    return true;
  }

  takeRemembered(by: UserName, asker: Remembered): void {
    this.#remembered.set(by, asker);
  }

  /** Finishes taking in a saved state, whose open decisions and marks are given. */
  take(open: readonly Decision[], marks: readonly Settled[]): void {
    for (const slot of [...this.#open.keys()]) if (slot <= this.applied) this.#open.delete(slot);
    this.#dropMarks();
    for (const decision of open) this.add(decision);
    for (const mark of marks) this.settle(mark);
    this.#advance();
  }

  #advance(): void {
    for (;;) {
      const [decision, other] = this.#settledIn(this.applied + 1);
      this.unknownKind = undefined;
      if (decision === undefined) return;
      const { slot, ops } = decision;
      const unknown = ops.find(({ kind }) => !Object.hasOwn(this.#parts.kinds, kind));
      this.unknownKind = unknown?.kind;
      if (unknown !== undefined) return;
      if (other !== undefined && contentOf(other) !== contentOf(decision)) this.differs ??= slot;
      this.#apply(decision);
    }
  }

  /** The decisions of a slot that are settled, that of the highest epoch first. */
  #settledIn(slot: number): Decision[] {
    const isSettled = ({ epoch }: Decision) =>
      (this.#marks.get(writeEpoch(epoch))?.upTo ?? 0) >= slot;
    return (this.#open.get(slot) ?? []).filter(isSettled).reverse();
  }

  #apply(decision: Decision): void {
    const { slot, ops } = decision;
    const time = Math.max(this.#head.time, decision.time);
    const told = ops.map((operation) => this.#applyOne(operation, slot, time));
    const outcomes = told.map(({ outcome, result }) =>
      result === undefined ? outcome : [outcome, result],
    );
    const result = JSON.stringify([contentOf(decision), outcomes]);
    const digest = this.#parts.digest.chain(this.#head.digest, result);
    this.#head = { applied: slot, digest, time };
    this.#open.delete(slot);
    this.#dropMarks();
    this.#digests.set(slot, digest);
    this.#digests.delete(slot - limits.comparedSlots);
    for (const [at, operation] of ops.entries()) this.onApplied(operation, told[at] as Decided);
  }

  /** Does an operation once, and refuses it if the log no longer knows whether it was done (D9). */
  #applyOne(operation: Operation, slot: number, time: number): Decided {
    const { by, id, since, kind } = operation;
    const first = this.find(by, id);
    if (first !== undefined) return first;
    const { kept, floor } = this.#remembered.get(by) ?? { kept: [], floor: 0 };
    if (since < floor) return { slot, outcome: this.#parts.expired(operation), operation };
    const came = (this.#parts.kinds[kind] as Apply)(operation, time);
    const { outcome, ...made } = typeof came === "string" ? { outcome: came } : came;
    const decided: Decided = { slot, outcome, operation, ...made };
    const dropped = kept.length < limits.keptOperations ? undefined : kept[0];
    this.#remembered.set(by, {
      kept: [...kept.slice(dropped === undefined ? 0 : 1), decided],
      floor: dropped?.slot ?? floor,
    });
    return decided;
  }

  #dropMarks(): void {
    for (const [key, { upTo }] of this.#marks) if (upTo <= this.applied) this.#marks.delete(key);
  }
}

function byEpoch(a: { readonly epoch: Epoch }, b: { readonly epoch: Epoch }): number {
  return compareEpochs(a.epoch, b.epoch);
}

function contentOf({ time, ops }: Decision): string {
  return JSON.stringify([time, ops]);
}
