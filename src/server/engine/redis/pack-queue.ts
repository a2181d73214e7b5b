import { now, pause } from "../../../platform/clock.ts";
import type { PackName } from "../../../protocol/cards.ts";
import { type Decided, keyOf, type Operation } from "../../../protocol/operation.ts";
import { type Engine, EngineUnavailable, Needs } from "../engine.ts";
import type { Slice } from "../slice.ts";
import { within } from "../within.ts";
import type { RedisLink } from "./link.ts";
import type { PackStock, Reserved } from "./pack-stock.ts";

/** The longest that a purchase waits for what comes of the reservations of others, in milliseconds. */
const waitMs = 250;
/** The pause between two looks whether a reservation has become free, in milliseconds. */
const lookMs = 20;
/** The most purchases of one command and of one look into the engine. */
const mostAsked = 500;

interface Parts {
  readonly pack: PackName;
  readonly stock: PackStock;
  readonly engine: Pick<Engine, "load">;
  readonly link: RedisLink;
}

interface Waiting {
  readonly operation: Operation;
  readonly untilMs: number;
  readonly resolve: (decided: Decided | undefined) => void;
}

const none: Reserved = { left: undefined, going: new Set(), refused: new Set() };

/** Purchases of one pack that wait for a reservation, or for the news that none is left. */
export class PackQueue {
  readonly #parts: Parts;
  #waiting: Waiting[] = [];
  /** The last slot that this queue has read of. */
  #slot = 0;
  #isRunning = false;
  #interrupt = new AbortController();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** @returns undefined if Redis is away; else as `Reservations.admit` */
  add(operation: Operation): Promise<Decided | undefined> | undefined {
    if (!this.#parts.link.isUp) return undefined;
    return new Promise((resolve) => {
      this.#waiting.push({ operation, untilMs: now().steadyMs + waitMs, resolve });
      if (!this.#isRunning) void this.#run();
    });
  }

  /** Looks at once what has become of reservations. */
  look(): void {
    this.#interrupt.abort();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#waiting.length > 0) {
      const asked = this.#waiting.splice(0, mostAsked);
      const stay = await this.#askAll(asked);
      const { steadyMs } = now();
      const all = [...stay, ...this.#waiting.splice(0)];
      const late = all.filter(({ untilMs }) => steadyMs >= untilMs);
      this.#waiting = all.filter(({ untilMs }) => steadyMs < untilMs);
      await this.#goOn(late);
      if (stay.length < asked.length) continue;
      this.#interrupt = new AbortController();
      await pause(lookMs, this.#interrupt.signal);
    }
    this.#isRunning = false;
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

  /** Lets those go on that have a reservation, or need none. @returns also the others */
  async #reserve(asked: readonly Waiting[]) {
    const reserved = await this.#parts.stock.reserve(asked.map(({ operation }) => operation));
    const { left, going, refused } = reserved ?? none;
    const [free, rest] = parted(asked, ({ operation }) => {
      return reserved === undefined || going.has(operation);
    });
    for (const { resolve } of free) resolve(undefined);
    return { left, refused, rest };
  }

  /** Lets purchases go on to the decision without a reservation, unless a copy of them was refused. */
  async #goOn(asked: readonly Waiting[]): Promise<void> {
    const going = await this.#parts.stock.note("going", operationsOf(asked));
    for (const { operation, resolve } of asked) {
      const goesOn = going === undefined || going.has(operation);
      resolve(goesOn ? undefined : this.#refusalOf(operation));
    }
  }

  /**
   * Reads from the engine what is left and what was decided, without the lock of the log. So what is left
   * by Redis, which may be old, refuses nobody, and whoever asks again gets the first outcome (D9).
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
      await this.#goOn(asked);
      return [];
    }
    this.#slot = slice.applied;
    const left = slice.shop.left(pack) ?? "unlimited";
    await stock.tell({ slot: slice.applied, left }, []);
    const [, open] = parted(asked, ({ operation, resolve }) => {
      const first = slice.find(operation.by, operation.id);
      if (first !== undefined) resolve(first);
      return first !== undefined;
    });
    const [soldOut, others] = parted(open, ({ operation }) => {
      // A moved cluster may have decided it and forgotten.
      const isForgotten = operation.since < (slice.forgotten.get(operation.by) ?? 0);
      return !isForgotten && (left === 0 || refused.has(operation));
    });
    await this.#refuse(soldOut);
    if (typeof left === "number" && left > 0) return others;
    await this.#goOn(others);
    return [];
  }

  /**
   * Refuses purchases, unless a copy of them has gone on: it may buy a pack, if an administrator has
   * added some meanwhile.
   */
  async #refuse(asked: readonly Waiting[]): Promise<void> {
    const refused = await this.#parts.stock.note("refused", operationsOf(asked));
    for (const { operation, resolve } of asked) {
      const isRefused = refused?.has(operation) === true;
      resolve(isRefused ? this.#refusalOf(operation) : undefined);
    }
  }

  #refusalOf(operation: Operation): Decided {
    return { slot: this.#slot, outcome: "sold_out", operation };
  }

  async #load(operations: readonly Operation[]): Promise<Slice | undefined> {
    const needs = new Needs();
    needs.areSuppliesNeeded = true;
    for (const operation of operations) needs.operations.set(keyOf(operation), operation);
    try {
      return await within(waitMs, this.#parts.engine.load(needs));
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
