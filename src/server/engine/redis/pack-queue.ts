import { now, pause } from "../../../platform/clock.ts";
import type { PackName } from "../../../protocol/cards.ts";
import { type Decided, keyOf, type Operation } from "../../../protocol/operation.ts";
import { type Engine, EngineUnavailable, Needs } from "../engine.ts";
import type { Slice } from "../slice.ts";
import { within } from "../within.ts";
import type { RedisLink } from "./link.ts";
import type { PackStock, Reserved, Stock } from "./pack-stock.ts";

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

const none: Reserved = { left: undefined, granted: new Set() };

/** Purchases of one pack that wait for a reservation, or for the news that none is left. */
export class PackQueue {
  readonly #parts: Parts;
  #waiting: Waiting[] = [];
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
      this.#waiting.unshift(...stay);
      const { steadyMs } = now();
      this.#waiting = this.#waiting.filter(({ untilMs, resolve }) => {
        if (steadyMs >= untilMs) resolve(undefined);
        return steadyMs < untilMs;
      });
      if (stay.length < asked.length) continue;
      this.#interrupt = new AbortController();
      await pause(lookMs, this.#interrupt.signal);
    }
    this.#isRunning = false;
  }

  /** @returns those that get neither a reservation nor an outcome yet */
  async #askAll(asked: readonly Waiting[]): Promise<readonly Waiting[]> {
    const { left, rest } = await this.#reserve(asked);
    if (rest.length === 0 || (left !== undefined && left !== 0)) return rest;
    const others = await this.#consult(rest);
    // Now Redis knows what is left.
    return left === undefined ? (await this.#reserve(others)).rest : others;
  }

  /** Lets those go on that have a reservation, or need none. @returns the others */
  async #reserve(asked: readonly Waiting[]) {
    const { stock } = this.#parts;
    const reserved =
      asked.length === 0 ? none : await stock.reserve(asked.map(({ operation }) => operation));
    const { left, granted } = reserved ?? { ...none, left: "unlimited" as const };
    const goesOn = ({ operation }: Waiting) => left === "unlimited" || granted.has(operation);
    for (const { resolve } of asked.filter(goesOn)) resolve(undefined);
    return { left, rest: asked.filter((one) => !goesOn(one)) };
  }

  /**
   * Reads from the engine what is left and what was decided, without the lock of the log. Only this
   * refuses anything, so that Redis can't refuse by something old, and that whoever asks again gets the
   * first outcome (D9).
   * @returns those that get no outcome yet
   */
  async #consult(asked: readonly Waiting[]): Promise<readonly Waiting[]> {
    const slice = await this.#load(asked.map(({ operation }) => operation));
    if (slice === undefined) {
      for (const { resolve } of asked) resolve(undefined);
      return [];
    }
    const left = slice.shop.left(this.#parts.pack) ?? "unlimited";
    const truth: Stock = { slot: slice.applied, left };
    await this.#parts.stock.tell(truth, []);
    return asked.filter(({ operation, resolve }) => {
      const outcome = outcomeIn(slice, operation, truth);
      if (outcome !== undefined) resolve(outcome === "unknown" ? undefined : outcome);
      return outcome === undefined;
    });
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

/**
 * Returns what comes of a purchase; `unknown` if only the decision can tell, and undefined if a
 * reservation is to be tried.
 */
function outcomeIn(
  slice: Slice,
  operation: Operation,
  { slot, left }: Stock,
): Decided | "unknown" | undefined {
  const { by, id, since } = operation;
  const first = slice.find(by, id);
  if (first !== undefined) return first;
  // A moved cluster may have decided it and forgotten.
  if (left === "unlimited" || since < (slice.forgotten.get(by) ?? 0)) return "unknown";
  return left === 0 ? { slot, outcome: "sold_out", operation } : undefined;
}
