import type { ParsedRequest, Receipt, SearchQuery } from "../../protocol/client-messages.ts";
import { durations, limits } from "../../protocol/limits.ts";
import { type Decided, keyOf, type Operation } from "../../protocol/operation.ts";
import type { Entry } from "../../protocol/publications.ts";
import { isoTime } from "../../protocol/time.ts";
import type { Now } from "../core/effects.ts";
import { idOf, type Placed } from "../core/replica/placed.ts";
import type { WaitingWrite } from "../core/serving/payload-reply.ts";
import type { ServingParts } from "../core/serving/serving-parts.ts";
import type { DueWrite } from "../core/serving/waiting-writes.ts";
import { type Appended, EngineUnavailable } from "./engine.ts";
import { unplacedOrigin } from "./turn.ts";

/** How many times in a row a request may be decided in vain. */
const mostConflicts = 20;

/** Writes that wait until the engine has their event on disk. */
export class EngineWrites {
  /** The number of requests that were answered with the event of an earlier copy (R6). */
  repeated = 0;
  /** Writes whose event has no place yet, by the event's number. */
  readonly #waiting = new Map<number, WaitingWrite[]>();
  #due: DueWrite[] = [];
  /** How often somebody else was faster than a request. */
  readonly #conflicts = new WeakMap<ParsedRequest, number>();
  /** Returns the names of the nodes that have an event on disk. */
  readonly #holders: () => readonly string[];

  constructor(holders: () => readonly string[]) {
    this.#holders = holders;
  }

  get size(): number {
    return this.#waiting.size + this.#due.length;
  }

  /** Requests whose event conflicted: the next turn loads for them, and they are decided again. */
  get outdated(): readonly ParsedRequest[] {
    return this.#due.flatMap(({ outcome, request }) => (outcome === "outdated" ? request : []));
  }

  /** Whether a request still waits for the event with this number. */
  isWaiting(seq: number): boolean {
    return this.#waiting.has(seq);
  }

  add(write: WaitingWrite): void {
    if (write.server !== unplacedOrigin) {
      this.repeated += 1;
      this.#due.push({ ...write, outcome: "committed" });
      return;
    }
    const same = this.#waiting.get(write.seq);
    if (same === undefined) this.#waiting.set(write.seq, [write]);
    else same.push(write);
  }

  /** The event with this number has a place, or was not made. */
  settle(seq: number, appended: Appended): void {
    const writes = this.#waiting.get(seq) ?? [];
    this.#waiting.delete(seq);
    for (const write of writes) {
      if (appended === "conflict") {
        this.#due.push({ ...write, outcome: this.#isHopeless(write) ? "late" : "outdated" });
        continue;
      }
      if (!appended.isNew) this.repeated += 1;
      const entry = this.#receipt(appended.place);
      const answer = () => ({ ...write.answer(), entry });
      this.#due.push({ ...write, answer, outcome: "committed" });
    }
  }

  /** Nobody knows whether the event with this number is on disk. */
  giveUp(seq: number): void {
    for (const write of this.#waiting.get(seq) ?? []) this.#due.push({ ...write, outcome: "late" });
    this.#waiting.delete(seq);
  }

  due(steadyMs: number): DueWrite[] {
    for (const [seq, [first]] of this.#waiting) {
      // Writes are added in the order of their deadlines.
      if (first !== undefined && steadyMs < first.deadlineMs) break;
      this.giveUp(seq);
    }
    return this.#due.splice(0);
  }

  /** So a request on which this server and the engine disagree is not decided again and again. */
  #isHopeless({ request }: WaitingWrite): boolean {
    const conflicts = (this.#conflicts.get(request) ?? 0) + 1;
    this.#conflicts.set(request, conflicts);
    return conflicts >= mostConflicts;
  }

  #receipt(place: Placed): Receipt {
    const { server, seq, clock, time } = place;
    const durable = [...this.#holders()] as Receipt["durable"][number][];
    return { id: idOf(place), server, seq, clock, timestamp: isoTime(time), durable };
  }
}

interface Asked {
  readonly operation: Operation;
  readonly waiters: Parameters<ServingParts["decisions"]["ask"]>[1][];
}

/** Resolves to an outcome that is known without a decision. */
type Admission = Promise<Decided | "decide">;

interface DecisionParts {
  decide(operations: readonly Operation[]): Promise<readonly Decided[]>;
  /** See `Reservations.admit`; undefined if there is nothing to wait for. */
  admit?: ((operation: Operation) => Admission | undefined) | undefined;
  /** Called when there is something to do for `advance`. */
  wake(): void;
}

/** Operations that wait until the engine has decided them. */
export class EngineDecisions {
  readonly #asked = new Map<string, Asked>();
  /** Those of `#asked` that limit a pack. */
  readonly #supplies = new Set<Asked>();
  /** Ends when all operations that the user has asked so far are queued, if one had to wait for that. */
  readonly #queuing = new Map<string, Promise<void>>();
  #waiting: Asked[] = [];
  readonly #parts: DecisionParts;
  readonly #settled: { readonly asked: Asked; readonly decided: Decided | undefined }[] = [];
  #isDeciding = false;

  constructor(parts: DecisionParts) {
    this.#parts = parts;
  }

  isFull(own: number): boolean {
    return own >= limits.openOperations;
  }

  get hasWaiting(): boolean {
    return this.#asked.size > 0 || this.#settled.length > 0;
  }

  ask(operation: Operation, waiter: Asked["waiters"][number]): void {
    const key = keyOf(operation);
    const known = this.#asked.get(key);
    if (known !== undefined) return void known.waiters.push(waiter);
    const asked = { operation, waiters: [waiter] };
    this.#asked.set(key, asked);
    const supplies = [...this.#supplies].filter((one) => one.operation.pack === operation.pack);
    // What is left before a supply is decided says nothing about a later purchase.
    const admitted = supplies.length > 0 ? undefined : this.#parts.admit?.(operation);
    const users = [operation.by, ...supplies.map((one) => one.operation.by)];
    const earlier = users.flatMap((user) => this.#queuing.get(user) ?? []);
    if (operation.kind === "supply") {
      this.#supplies.add(asked);
      earlier.push(...this.#queuing.values());
    }
    if (admitted === undefined && earlier.length === 0) this.#waiting.push(asked);
    else this.#queue(asked, admitted, earlier);
  }

  /**
   * Queues an operation for the decision, unless its outcome is known already. It must not overtake
   * earlier ones, which may be of the same payload (W15): those of the same user, and purchases and
   * supplies of a pack.
   */
  #queue(asked: Asked, admitted: Admission | undefined, earlier: readonly Promise<void>[]): void {
    const { by } = asked.operation;
    const queue = async () => {
      const [answer = "decide"] = await Promise.all([admitted, ...earlier]);
      if (answer === "decide") this.#waiting.push(asked);
      else this.#settle(asked, answer);
      if (this.#queuing.get(by) === queuing) this.#queuing.delete(by);
      this.#parts.wake();
    };
    const queuing = queue();
    this.#queuing.set(by, queuing);
  }

  #settle(asked: Asked, decided: Decided | undefined): void {
    this.#forget(asked);
    this.#settled.push({ asked, decided });
  }

  #forget(asked: Asked): void {
    this.#asked.delete(keyOf(asked.operation));
    this.#supplies.delete(asked);
  }

  submit(operation: Operation, { steadyMs }: Now): void {
    this.ask(operation, { deadlineMs: steadyMs + durations.decideMs, settle: () => {} });
  }

  advance(now: Now): void {
    for (const { asked, decided } of this.#settled.splice(0)) {
      for (const waiter of asked.waiters.splice(0)) waiter.settle(decided, now);
    }
    for (const { waiters } of this.#asked.values()) {
      const late = waiters.filter(({ deadlineMs }) => now.steadyMs >= deadlineMs);
      for (const waiter of late) {
        waiters.splice(waiters.indexOf(waiter), 1);
        waiter.settle(undefined, now);
      }
    }
    // While the engine does not answer, clients ask again and again: what nobody waits for is forgotten.
    const [wanted, forgotten] = [[] as Asked[], [] as Asked[]];
    for (const asked of this.#waiting) (asked.waiters.length > 0 ? wanted : forgotten).push(asked);
    for (const asked of forgotten) this.#forget(asked);
    this.#waiting = wanted;
    void this.#next();
  }

  /** Has what waits decided together, once the engine has decided what it was asked before. */
  async #next(): Promise<void> {
    if (this.#isDeciding || this.#waiting.length === 0) return;
    this.#isDeciding = true;
    const batch = this.#waiting.splice(0, limits.decisionOperations);
    const decided = await this.#parts
      .decide(batch.map(({ operation }) => operation))
      .catch((error) => {
        if (error instanceof EngineUnavailable) return [];
        throw error;
      });
    this.#isDeciding = false;
    for (const [at, asked] of batch.entries()) this.#settle(asked, decided[at]);
    this.#parts.wake();
  }
}

type Found = readonly Entry[] | undefined;

/** Searches that wait until the engine has done them. They are few at once, and hold up no turn. */
export class EngineSearches {
  readonly #search: (query: SearchQuery) => Promise<readonly Entry[]>;
  readonly #atNextTurn: (action: () => void) => void;
  readonly #waiting: { readonly query: SearchQuery; readonly done: (found: Found) => void }[] = [];
  #running = 0;

  /** @param atNextTurn has something done at the beginning of the next turn */
  constructor(
    search: (query: SearchQuery) => Promise<readonly Entry[]>,
    atNextTurn: (action: () => void) => void,
  ) {
    this.#search = search;
    this.#atNextTurn = atNextTurn;
  }

  add(query: SearchQuery, done: (found: Found) => void): void {
    this.#waiting.push({ query, done });
    void this.#next();
  }

  async #next(): Promise<void> {
    const one = this.#running < limits.searchesAtOnce ? this.#waiting.shift() : undefined;
    if (one === undefined) return;
    this.#running += 1;
    const found = await this.#search(one.query).catch((error) => {
      if (error instanceof EngineUnavailable) return undefined;
      throw error;
    });
    this.#running -= 1;
    this.#atNextTurn(() => one.done(found));
    void this.#next();
  }
}
