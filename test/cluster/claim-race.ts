import type { Child } from "../../src/cluster/child.ts";
import { now } from "../../src/platform/clock.ts";
import { seededRandom } from "../../src/platform/random.ts";
import { Claimant } from "../../src/trials/chaos/claimant.ts";
import {
  type Claim,
  type ClaimObservations,
  type ClaimViolation,
  checkClaims,
} from "../../src/trials/chaos/core/claims.ts";
import { type Blow, type Failover, failoversOf } from "../../src/trials/chaos/core/failovers.ts";
import { accountsOf } from "../../src/trials/chaos/testimony.ts";
import { OfficeWatch } from "../../src/trials/office-watch.ts";
import { roadsBetween } from "../../src/trials/relay.ts";
import { RelayedCluster } from "../../src/trials/relayed-cluster.ts";
import { until } from "../support/until.ts";

export interface RaceOptions {
  /** An empty folder. */
  readonly folder: string;
  /** Each with a connection of its own. */
  readonly clients: number;
  /** All clients want all of them, each in an order of its own. */
  readonly names: number;
  /** Claims that each client has open at a time. */
  readonly inFlight: number;
  /** How often the coordinator of the moment is killed, and stopped, and cut off. */
  readonly rounds: number;
  readonly seed: number;
  readonly onFault?: (fault: string, namesOwned: number) => void;
}

export interface RaceResult extends ClaimObservations {
  readonly violations: readonly ClaimViolation[];
  readonly faults: Readonly<Record<RaceFault, number>>;
  readonly failovers: readonly Failover[];
  /** From the first claim to the last answer. */
  readonly lengthMs: number;
}

const faultKinds = ["kill", "stop", "cut"] as const;
type RaceFault = (typeof faultKinds)[number];

const servers = 3;
const claimDeadlineMs = 60_000;
/** A limit that only turns a hang into a failure. */
const failoverLimitMs = 30_000;

/**
 * Clients that register the same names at once, while the coordinator of the moment is killed,
 * stopped and cut off, each time until another term begins. Then all is stopped and judged.
 */
export async function raceForNames(options: RaceOptions): Promise<RaceResult> {
  const { folder } = options;
  await using cluster = await RelayedCluster.start({ servers, folder, logLevel: "info" });
  const race = new Race(options, cluster);
  const { claims, ...run } = await race.run();
  await cluster.stop();
  const accounts = await accountsOf(folder);
  return { claims, accounts, violations: checkClaims({ claims, accounts }), ...run };
}

class Race {
  readonly #options: RaceOptions;
  readonly #cluster: RelayedCluster;
  readonly #office: OfficeWatch;
  readonly #claimants: readonly Claimant[];
  readonly #orders: readonly string[][];
  readonly #calledOff = new AbortController();
  readonly #began = now();
  readonly #blows: Blow[] = [];

  constructor(options: RaceOptions, cluster: RelayedCluster) {
    this.#options = options;
    this.#cluster = cluster;
    this.#office = new OfficeWatch(options.folder, cluster.local.of("server"));
    const random = seededRandom(options.seed);
    const names = Array.from({ length: options.names }, (_, at) => `name-${at + 1}`);
    const numbers = Array.from({ length: options.clients }, (_, at) => at + 1);
    this.#claimants = numbers.map((number) => {
      return new Claimant({
        name: `client ${number}`,
        client: cluster.client({ proxies: [], deadlineMs: claimDeadlineMs }),
        random,
        elapsedMs: () => this.#elapsedMs(),
        signal: this.#calledOff.signal,
      });
    });
    // Drawn places, so that the order of each client is the same for the same seed.
    this.#orders = numbers.map(() => {
      const places = new Map(names.map((name) => [name, random()]));
      return [...names].sort((a, b) => (places.get(a) ?? 0) - (places.get(b) ?? 0));
    });
  }

  async run(): Promise<Omit<RaceResult, "accounts" | "violations">> {
    const racing = this.#race();
    // A fault that fails has its own error; nobody must wait for the claims then.
    racing.catch(() => {});
    try {
      const faults = await this.#disturb();
      await racing;
      const lengthMs = this.#elapsedMs();
      const claims = this.#claims();
      const terms = this.#office.entered().map(({ wallMs, ...term }) => {
        return { ...term, atMs: wallMs - this.#began.wallMs };
      });
      return { claims, faults, failovers: failoversOf(terms, this.#blows, claims), lengthMs };
    } finally {
      this.#calledOff.abort();
    }
  }

  async #race(): Promise<void> {
    const lanes = this.#claimants.flatMap((claimant, at) => {
      const left = this.#orders[at] ?? [];
      return Array.from({ length: this.#options.inFlight }, async () => {
        for (let name = left.shift(); name !== undefined; name = left.shift()) {
          if (this.#calledOff.signal.aborted) return;
          await claimant.claim(name);
        }
      });
    });
    await Promise.all(lanes);
    await Promise.all(this.#claimants.map((claimant) => claimant.settled()));
  }

  /** One fault after the other, each once its share of the names has an owner. */
  async #disturb(): Promise<Record<RaceFault, number>> {
    const { names, rounds, onFault } = this.#options;
    const faults = Array.from({ length: rounds }, () => faultKinds).flat();
    const done: Record<RaceFault, number> = { kill: 0, stop: 0, cut: 0 };
    for (const [at, kind] of faults.entries()) {
      const goal = Math.floor((names * (at + 1)) / (faults.length + 2));
      await until(() => this.#owned() >= goal, `${goal} names with an owner`, 4 * claimDeadlineMs);
      const party = await this.#coordinator();
      onFault?.(`${kind} of ${party}`, this.#owned());
      await this.#hit(kind, party);
      done[kind] += 1;
    }
    return done;
  }

  async #hit(kind: RaceFault, party: string): Promise<void> {
    const victim = this.#cluster.local.of("server").find(({ label }) => label === party) as Child;
    const fromMs = this.#elapsedMs();
    const end = this.#begin(kind, victim);
    try {
      await this.#nextTerm();
    } finally {
      await end();
      this.#blows.push({ party, kind, fromMs, toMs: this.#elapsedMs() });
    }
  }

  /** @returns what ends it */
  #begin(kind: RaceFault, victim: Child): () => Promise<unknown> {
    switch (kind) {
      case "kill": {
        const back = victim.nextReady();
        victim.signal("SIGKILL");
        return () => back;
      }
      case "stop":
        victim.signal("SIGSTOP");
        return async () => victim.signal("SIGCONT");
      case "cut": {
        const { relay, processes } = this.#cluster;
        const others = processes
          .map(({ label }) => label)
          .filter((label) => label !== victim.label);
        const cut = relay.cut(roadsBetween(victim.label, others));
        return async () => cut.heal();
      }
      default:
        return kind satisfies never;
    }
  }

  async #coordinator(): Promise<string> {
    let party: string | undefined;
    const isThere = () => {
      party = this.#office.coordinator;
      return party !== undefined;
    };
    await until(isThere, "a coordinator", failoverLimitMs);
    return party ?? "";
  }

  async #nextTerm(): Promise<void> {
    const count = this.#office.entered().length;
    const isNext = () => this.#office.entered().length > count;
    await until(isNext, "the next term of office", failoverLimitMs);
  }

  #claims(): Claim[] {
    return this.#claimants.flatMap(({ claims }) => claims);
  }

  #owned(): number {
    const won = this.#claims().filter(({ answers }) => answers[0]?.answer === "won");
    return new Set(won.map(({ name }) => name)).size;
  }

  #elapsedMs(): number {
    return now().steadyMs - this.#began.steadyMs;
  }
}
