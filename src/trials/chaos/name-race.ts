import { Connection } from "../../client/connection.ts";
import { pause } from "../../platform/clock.ts";
import type { Random } from "../../platform/random.ts";
import { type Claim, wasTold } from "./core/names.ts";
import { Registrant } from "./registrant.ts";

export interface NameRaceOptions {
  readonly brokers: readonly string[];
  /** The clients that claim names, each over its own connection. */
  readonly racers: readonly Racer[];
  readonly random: Random;
  /** Milliseconds since the load began. */
  readonly elapsedMs: () => number;
}

export interface Racer {
  readonly name: string;
  /**
   * Whether the racer gives up soon, so that some racers own a name but never receive the answer.
   */
  readonly isImpatient?: boolean;
}

const patienceMs = 60_000;
const impatienceMs = 2_500;
const racersAtOnce = 3;
/**
 * Names per second. A server needs tens of milliseconds to hash each password, so with more names
 * the race would test only hashing.
 */
const namesPerSecond = 3;
/** The most open claims of one racer: about as many as it sends in an outage of ten seconds. */
const mostOpen = 30;
/** The most milliseconds for which the race waits for open claims after healing. */
const finishMs = 60_000;

/** Lets several clients claim each name at about the same time. */
export class NameRace {
  readonly #options: NameRaceOptions;
  readonly #connections: Connection[] = [];
  readonly #racers: Registrant[];
  readonly #stopping = new AbortController();
  readonly #givingUp = new AbortController();
  readonly #open = new Set<Promise<void>>();
  #lane: Promise<void> = Promise.resolve();

  constructor(options: NameRaceOptions) {
    this.#options = options;
    const { brokers, racers, random, elapsedMs } = options;
    this.#racers = racers.map(({ name, isImpatient = false }) => {
      const deadlineMs = isImpatient ? impatienceMs : patienceMs;
      const connection = new Connection({ brokers, proxies: [], deadlineMs });
      this.#connections.push(connection);
      const session = connection.session();
      const signal = this.#givingUp.signal;
      return new Registrant({ name, session, isImpatient, random, elapsedMs, signal });
    });
  }

  get claims(): readonly Claim[] {
    return this.#racers.flatMap(({ claims }) => claims);
  }

  /**
   * The number of names that were won: for each of them, a client was told that it owns the name.
   */
  get owned(): number {
    return new Set(this.claims.filter((claim) => wasTold(claim, "won")).map(({ name }) => name))
      .size;
  }

  /**
   * Lets all racers claim all of these names, each racer in its own order. Resolves when all claims
   * are decided.
   */
  async runThrough(names: readonly string[], inFlight: number): Promise<void> {
    const orders = this.#racers.map(() => this.#shuffled(names));
    const lanes = this.#racers.flatMap((racer, at) => {
      const left = orders[at] ?? [];
      return Array.from({ length: inFlight }, async () => {
        for (let name = left.shift(); name !== undefined; name = left.shift()) {
          if (this.#givingUp.signal.aborted) return;
          await racer.claim(name);
        }
      });
    });
    await Promise.all(lanes);
    await Promise.all(this.#racers.map((racer) => racer.settled()));
  }

  /**
   * Begins the race: in each round, some racers claim the same new name. Rounds follow until
   * `finish` or `close` is called.
   */
  start(): void {
    this.#lane = this.#keepRacing();
  }

  /** Ends the race. Waits until every claim is decided, but at most `finishMs`. */
  async finish(): Promise<void> {
    this.#stopping.abort();
    await this.#lane;
    const timer = setTimeout(() => this.#givingUp.abort(), finishMs);
    await Promise.all(this.#open);
    await Promise.all(this.#racers.map((racer) => racer.settled()));
    clearTimeout(timer);
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    this.#givingUp.abort();
    for (const connection of this.#connections.splice(0)) connection.close();
  }

  async #keepRacing(): Promise<void> {
    const { random } = this.#options;
    for (let number = 1; !this.#stopping.signal.aborted; number += 1) {
      for (const racer of this.#drawn()) {
        if (racer.open >= mostOpen) continue;
        const claim = racer.claim(`name-${number}`);
        this.#open.add(claim);
        void claim.finally(() => this.#open.delete(claim));
      }
      await pause((2_000 / namesPerSecond) * random(), this.#stopping.signal);
    }
  }

  /** Returns the names in random order; the order depends on the seed of `random`. */
  #shuffled(names: readonly string[]): string[] {
    const { random } = this.#options;
    const placed = names.map((name) => ({ name, place: random() }));
    return placed.sort((a, b) => a.place - b.place).map(({ name }) => name);
  }

  #drawn(): Registrant[] {
    const { random } = this.#options;
    const left = [...this.#racers];
    while (left.length > racersAtOnce) left.splice(Math.floor(random() * left.length), 1);
    return left;
  }
}
