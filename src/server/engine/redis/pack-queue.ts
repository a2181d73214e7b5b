import { now, pause } from "../../../platform/clock.ts";
import type { PackName } from "../../../protocol/cards.ts";
import { type Decided, keyOf, type Operation } from "../../../protocol/operation.ts";
import { type Engine, EngineUnavailable, Needs } from "../engine.ts";
import type { Slice } from "../slice.ts";
import { within } from "../within.ts";
import type { RedisConnections } from "./connections.ts";
import type { PackStock, Reserved } from "./pack-stock.ts";

/** The longest that a purchase waits for the outcome of those with a reservation, in milliseconds. */
const waitMs = 250;
/** The longest that the engine is waited for, in milliseconds. */
const loadMs = 250;
/** Pause before trying to reserve again, in milliseconds. */
const retryMs = 20;
/** The most purchases of one command and of one query. */
const mostAsked = 500;

interface Parts {
  readonly pack: PackName;
  readonly stock: PackStock;
  readonly engine: Pick<Engine, "load">;
  readonly connections: RedisConnections;
}

interface Waiting {
  readonly operation: Operation;
  readonly untilMs: number;
  readonly resolve: (answer: Decided | "decide") => void;
}

/** Those that get no reservation. */
interface Unreserved extends Omit<Reserved, "admitted"> {
  readonly rest: readonly Waiting[];
}

/** Purchases of one pack that wait for a reservation, or for the news that none is left. */
export class PackQueue {
  readonly #parts: Parts;
  #waiting: Waiting[] = [];
  /** All that have no answer yet, the oldest first. */
  readonly #open = new Set<Waiting>();
  /** The last slot that this queue has read from the engine. */
  #slot = 0;
  #isRunning = false;
  #isReleasing = false;
  #interrupt = new AbortController();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** @returns undefined if Redis is away; else as `Reservations.admit` */
  add(operation: Operation): Promise<Decided | "decide"> | undefined {
    if (!this.#parts.connections.isUp) return undefined;
    return new Promise((answered) => {
      const resolve = (answer: Decided | "decide") => {
        this.#open.delete(waiting);
        answered(answer);
      };
      const waiting: Waiting = { operation, untilMs: now().steadyMs + waitMs, resolve };
      this.#waiting.push(waiting);
      this.#open.add(waiting);
      if (!this.#isRunning) void this.#run();
      if (!this.#isReleasing) void this.#release();
    });
  }

  /** Tries to reserve again at once. */
  wake(): void {
    this.#interrupt.abort();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#waiting.length > 0) {
      const asked = this.#waiting.splice(0, mostAsked);
      const open = await this.#askAll(asked);
      this.#waiting = [...open, ...this.#waiting].filter((one) => this.#open.has(one));
      // Others may now fit: try again at once.
      if (open.length < asked.length) continue;
      this.#interrupt = new AbortController();
      await pause(retryMs, this.#interrupt.signal);
    }
    this.#isRunning = false;
  }

  /** Admits purchases that have waited for `waitMs`, also while Redis or the engine is asked. */
  async #release(): Promise<void> {
    this.#isReleasing = true;
    for (const { untilMs } of this.#open) {
      await pause(Math.max(0, untilMs - now().steadyMs));
      // A timer may be a little early.
      const overMs = Math.max(untilMs, now().steadyMs);
      const late = [...this.#open].filter((one) => one.untilMs <= overMs);
      for (let from = 0; from < late.length; from += mostAsked) {
        await this.#admitWithout(late.slice(from, from + mostAsked));
      }
    }
    this.#isReleasing = false;
  }

  /** @returns those that get neither a reservation nor an outcome yet */
  async #askAll(asked: readonly Waiting[]): Promise<readonly Waiting[]> {
    const { left, refused, rest } = await this.#reserve(asked);
    const isAnyLeft = left !== undefined && left !== 0;
    const [unsure, waiting] = parted(rest, ({ operation }) => {
      return !isAnyLeft || refused.has(operation);
    });
    const others = await this.#consult(unsure, refused);
    // Now Redis knows what is left.
    if (left === undefined && others.length > 0) return (await this.#reserve(others)).rest;
    return [...others, ...waiting];
  }

  /** Admits those that have a reservation or need none, and all if Redis is away. */
  async #reserve(asked: readonly Waiting[]): Promise<Unreserved> {
    const reserved = await this.#parts.stock.reserve(operationsOf(asked));
    if (reserved === undefined) {
      for (const { resolve } of asked) resolve("decide");
      return { left: undefined, refused: new Set(), rest: [] };
    }
    const { left, admitted, refused } = reserved;
    const [free, rest] = parted(asked, ({ operation }) => admitted.has(operation));
    for (const { resolve } of free) resolve("decide");
    return { left, refused, rest };
  }

  /** Admits purchases to the decision without a reservation, unless a copy of them was refused. */
  async #admitWithout(asked: readonly Waiting[]): Promise<void> {
    const admitted = await this.#parts.stock.note("admitted", operationsOf(asked));
    for (const { operation, resolve } of asked) {
      const isAdmitted = admitted === undefined || admitted.has(operation);
      resolve(isAdmitted ? "decide" : this.#refusalOf(operation));
    }
  }

  /**
   * Reads from the engine what is left and what was decided, without the lock of the log. So an
   * old number in Redis refuses nobody, and whoever asks again gets the first outcome (D9).
   * @param refused those of which a copy was refused
   * @returns those that get no outcome yet
   */
  async #consult(
    asked: readonly Waiting[],
    refused: Reserved["refused"],
  ): Promise<readonly Waiting[]> {
    if (asked.length === 0) return [];
    const { pack, stock } = this.#parts;
    const slice = await this.#load(operationsOf(asked));
    if (slice === undefined) {
      await this.#admitWithout(asked);
      return [];
    }
    this.#slot = slice.applied;
    const left = slice.shop.left(pack) ?? "unlimited";
    const isTold = await stock.tell({ stock: { slot: slice.applied, left }, used: [] });
    const open = asked.filter(({ operation, resolve }) => {
      const first = slice.find(operation.by, operation.id);
      if (first !== undefined) resolve(first);
      return first === undefined;
    });
    const [soldOut, others] = parted(open, ({ operation }) => {
      // A moved cluster may have decided it and forgotten.
      const isForgotten = operation.since < (slice.forgotten.get(operation.by) ?? 0);
      return !isForgotten && (left === 0 || refused.has(operation));
    });
    await this.#refuse(soldOut);
    // Without Redis there is nothing to wait for.
    if (isTold && typeof left === "number" && left > 0) return others;
    await this.#admitWithout(others);
    return [];
  }

  /**
   * Refuses purchases, unless a copy of them was admitted: it may buy a pack, if an administrator
   * has added some meanwhile.
   */
  async #refuse(asked: readonly Waiting[]): Promise<void> {
    const refused = await this.#parts.stock.note("refused", operationsOf(asked));
    for (const { operation, resolve } of asked) {
      const isRefused = refused?.has(operation) === true;
      resolve(isRefused ? this.#refusalOf(operation) : "decide");
    }
  }

  /** Not a decided operation: the slot is the last one that this server has read. */
  #refusalOf(operation: Operation): Decided {
    return { slot: this.#slot, outcome: "sold_out", operation };
  }

  async #load(operations: readonly Operation[]): Promise<Slice | undefined> {
    const needs = new Needs();
    needs.areSuppliesNeeded = true;
    for (const operation of operations) needs.operations.set(keyOf(operation), operation);
    try {
      return await within(loadMs, this.#parts.engine.load(needs));
    } catch (error) {
      if (error instanceof EngineUnavailable) return undefined;
      throw error;
    }
  }
}

function operationsOf(waiting: readonly Waiting[]): Operation[] {
  return waiting.map(({ operation }) => operation);
}

/** Returns those that fit, and the others. */
function parted<T>(all: readonly T[], fits: (one: T) => boolean): [fitting: T[], others: T[]] {
  const [fitting, others]: [T[], T[]] = [[], []];
  for (const one of all) (fits(one) ? fitting : others).push(one);
  return [fitting, others];
}
