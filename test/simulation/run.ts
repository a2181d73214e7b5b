import { seededRandom } from "../../src/platform/random.ts";
import { durations } from "../../src/protocol/limits.ts";
import { assertPromise, BrokenPromise } from "../support/check-promises.ts";
import { CoreCluster } from "../support/core-cluster.ts";
import type { VirtualServer } from "../support/virtual-server.ts";
import { SimulationChecks } from "./checks.ts";
import { Dice } from "./dice.ts";
import { Faults } from "./faults.ts";
import { runFormerView, runLookAlikes } from "./former-view.ts";
import { runFetchedState, runLateCopy, runLateDecisions, runTwoEpochs } from "./late-decisions.ts";
import { quickDigest } from "./quick-digest.ts";
import { runFence, runMissingDecision, runRivals } from "./rivals.ts";
import { ShopUsers } from "./shop-users.ts";
import { runStaleView } from "./stale-view.ts";
import { Workload } from "./workload.ts";

export interface Outcome {
  readonly seed: number;
  /** The broken promise; undefined if all promises were kept. */
  readonly broken: string | undefined;
  /** One line for each thing that happened, with its virtual time. */
  readonly story: readonly string[];
  readonly acknowledged: number;
  /** How often each kind of thing happened, so that a run in which nothing happens is noticed. */
  readonly counts?: Readonly<Record<string, number>>;
}

/** Virtual milliseconds within which the cluster must be well again after the last fault. */
const recoveryMs = 60_000;
/**
 * Virtual milliseconds that a person waits before removing a server whose disk is lost for good.
 */
const giveUpMs = 8_000;

/** Schedules of faults that random choices seldom produce. */
const schedules = [
  ...[runRivals, runFence, runMissingDecision, runFormerView, runLookAlikes, runStaleView],
  ...[runLateDecisions, runTwoEpochs, runLateCopy, runFetchedState],
];

/**
 * Runs one cluster with one workload and one sequence of faults. The same seed gives the same run.
 * Seed 0 is not random: it runs the fixed schedules one after the other.
 */
export function run(seed: number): Outcome {
  const story: string[] = [];
  let simulation: Simulation | undefined;
  try {
    if (seed === 0) {
      for (const schedule of schedules) schedule((text) => story.push(text));
      return { seed, broken: undefined, story, acknowledged: 0 };
    }
    simulation = new Simulation(seed, story);
    simulation.run();
    return { seed, broken: undefined, story, acknowledged: simulation.acknowledged };
  } catch (error) {
    const { name, message, stack } = error as Error;
    const broken = error instanceof BrokenPromise || name === "AssertionError" ? message : stack;
    story.push(`${simulation?.nowMs ?? 0} ms BROKEN ${broken}`);
    return { seed, broken, story, acknowledged: simulation?.acknowledged ?? 0 };
  }
}

class Simulation {
  readonly #cluster: CoreCluster;
  readonly #checks: SimulationChecks;
  readonly #workload: Workload;
  /** Users of the shop, in every eleventh run. */
  #shop: ShopUsers | undefined;
  readonly #dice: Dice;
  readonly #faults: Faults;
  readonly #tell: (text: string) => void;
  /** Whether the run also waits, at its end, until the clocks agree, which makes the run longer. */
  readonly #agreesOnTime: boolean;

  readonly #seed: number;

  constructor(seed: number, story: string[]) {
    this.#seed = seed;
    const dice = new Dice(seededRandom(seed));
    this.#dice = dice;
    const keepsAll = dice.chance(0.5);
    const kept = dice.between(2, 6);
    const servers = dice.pick([1, 2, 2, 3, 3, 3, 3, 4, 5, 5, 6, 7]) ?? 3;
    this.#cluster = new CoreCluster({
      servers: 0,
      seed: seed + 1,
      encodes: false,
      digest: quickDigest,
      retention: keepsAll
        ? undefined
        : { channelMessages: kept, userMessages: kept, userLogins: dice.between(1, 3) },
    });
    const { time } = this.#cluster;
    this.#tell = (text) => story.push(`${time.nowMs} ms ${text}`);
    this.#checks = new SimulationChecks(this.#tell);
    this.#cluster.checks = this.#checks;
    // The empty topic matches everything, so every publication is checked.
    this.#cluster.subscribe("");
    this.#workload = new Workload(this.#cluster, {
      log: this.#checks.log,
      operates: seed % 3 === 1,
      clients: dice.between(1, 4),
      claims: dice.pick([0.03, 0.03, 0.3]) ?? 0.03,
      keepsAll,
      // Derived from the seed without a random draw, so that the other draws of a run stay the
      // same.
      reusesIds: seed % 5 === 3,
      usesHooks: seed % 8 === 6,
      paceMs: dice.pick([30, 100, 400]) ?? 100,
      patienceMs: dice.pick([30, 300, 1_500]) ?? 300,
    });
    this.#tell(`${servers} servers; ${keepsAll ? "all is kept" : `${kept} messages are kept`}`);
    for (let number = 1; number <= servers; number += 1) this.#cluster.addServer();
    this.#faults = new Faults(this.#cluster, dice, this.#tell);
    this.#agreesOnTime = dice.chance(0.2);
  }

  get acknowledged(): number {
    return this.#workload.acknowledged.size;
  }

  get nowMs(): number {
    return this.#cluster.time.nowMs;
  }

  run(): void {
    const { time } = this.#cluster;
    this.#cluster.runUntil(
      () => this.#cluster.servers.some(({ inRotation }) => inRotation),
      "a server serves",
    );
    this.#workload.begin();
    if (this.#seed % 11 === 8) this.#shop = new ShopUsers(this.#cluster, 4);
    const endMs = time.nowMs + this.#dice.between(3_000, 14_000);
    const mostPauseMs = this.#dice.pick([100, 400, 1_500]) ?? 400;
    while (time.nowMs < endMs) {
      this.#cluster.runFor(this.#dice.between(1, mostPauseMs));
      this.#faults.strike();
      this.#noteGone();
      if (this.#dice.chance(0.05)) this.#checks.checkEqual(this.#cluster);
    }
    this.#recover();
  }

  /**
   * Ends all faults. Within a bounded time the cluster must be well, and no acknowledged event may
   * be lost.
   */
  #recover(): void {
    this.#tell("the faults stop");
    const { network, servers } = this.#cluster;
    this.#workload.stop();
    this.#shop?.stop();
    network.calm();
    for (const server of servers) this.#cluster.thaw(server);
    if (!this.#cluster.referenceIsUp) this.#cluster.startReference();
    for (const server of servers) server.syncMs = 1;
    const endMs = this.nowMs + recoveryMs;
    const givenUpMs = this.nowMs + giveUpMs;
    while (!this.#isWell) {
      if (this.#isBeyondPromise) {
        return this.#tell("so many disks are destroyed that R5 promises nothing more");
      }
      const waiting = () => `not well: ${this.#state()}`;
      assertPromise(this.nowMs < endMs, "R8", `${recoveryMs} ms after the faults ${waiting()}`);
      this.#noteGone();
      for (const server of servers) this.#keepUp(server, this.nowMs > givenUpMs);
      this.#cluster.runFor(100);
    }
    this.#checks.checkEqual(this.#cluster);
    this.#checks.checkHolders(this.#cluster, "at the end");
    for (const server of this.#up) this.#workload.checkHistory(server);
    this.#workload.claims.check(this.#up);
    this.#checks.log.check(this.#up);
    this.#shop?.check(this.#up[0]);
    if (this.#agreesOnTime) this.#checkTime();
  }

  /** Clocks that drifted apart must agree again within five rounds (E5). */
  #checkTime(): void {
    const spreadMs = () => {
      const times = this.#up.map((server) => this.#cluster.correctedMs(server));
      return Math.max(...times) - Math.min(...times);
    };
    const endMs = this.nowMs + 5 * durations.clockRoundMs;
    while (spreadMs() > 20) {
      assertPromise(this.nowMs < endMs, "E5", `the clocks are ${spreadMs()} ms apart`);
      this.#cluster.runFor(100);
    }
  }

  /**
   * Whether so many disks are lost that R5 promises nothing more, or all members' disks are lost. A
   * view without members has lost nothing: its reference still waits for reports.
   */
  get #isBeyondPromise(): boolean {
    const { frontier } = this.#checks;
    const { members } = this.#cluster.registry.view;
    const isLost = members.length > 0 && members.every((name) => frontier.isDestroyed(name));
    return isLost || frontier.isBeyondPromise;
  }

  /**
   * Acts as a person would: starts a server that ended, and gives up a server whose disk is lost
   * for good.
   */
  #keepUp(server: VirtualServer, gaveUp: boolean): void {
    if (this.#faults.gone.has(server)) return;
    if (server.isRunning && server.missesEvents && gaveUp) {
      this.#tell(`${server.name} is given up: nobody can return what it lost`);
      this.#cluster.kill(server);
      this.#faults.gone.add(server);
      return this.#checks.onDestroyed(this.#cluster, server);
    }
    if (!server.isRunning) this.#cluster.start(server);
  }

  /**
   * Records servers that left the view for good, and removes servers that were given up from the
   * view.
   */
  #noteGone(): void {
    const { registry, servers, time } = this.#cluster;
    for (const server of servers) {
      const isMember = registry.view.members.includes(server.name);
      if (!server.isRunning && server.hasLeft && !isMember) this.#faults.gone.add(server);
      if (!(isMember && this.#faults.gone.has(server)) || server.isRunning) continue;
      try {
        registry.remove(server.name, registry.view.members.length === 2, time.nowMs);
        this.#tell(`${server.name} is taken out of the view`);
      } catch {
        // The reference counts a server as alive for a while after it ended.
      }
    }
  }

  get #up(): VirtualServer[] {
    return this.#cluster.servers.filter((server) => !this.#faults.gone.has(server));
  }

  get #isAnswered(): boolean {
    return this.#workload.isAnswered && this.#shop?.isAnswered !== false;
  }

  get #isWell(): boolean {
    const up = this.#up;
    const { number, members } = this.#cluster.registry.view;
    if (!this.#isAnswered || up.length !== members.length) return false;
    const [first] = up;
    const coordinators = up.filter(({ core }) => core.election.ownEpoch !== undefined);
    const [coordinator] = coordinators;
    if (coordinator === undefined || coordinators.length > 1) return false;
    const isKnown = up.every(({ name, core }) => {
      return name === coordinator.name || core.election.coordinator?.name === coordinator.name;
    });
    if (!isKnown) return false;
    return up.every(({ name, disk, inRotation, isToldToStop, core }) => {
      const isLive = inRotation && !isToldToStop && core.catchUp.phase === "live";
      const isServing = isLive && members.includes(name) && disk.view.number === number;
      const { held, durable } = core.ledger;
      const { committed } = core.replication;
      const { log } = core;
      if (log.open().length > 0 || log.applied !== first?.core.log.applied) return false;
      const goal = first?.core.ledger.held ?? {};
      return isServing && [held, durable, committed].every((vector) => isSame(vector, goal));
    });
  }

  #state(): string {
    const { view } = this.#cluster.registry;
    const servers = this.#up.map((server) => {
      const { name, core, isRunning, isToldToStop, inRotation, disk } = server;
      const { phase } = core.catchUp;
      const { held } = core.ledger;
      const { ownEpoch, coordinator } = core.election;
      return JSON.stringify({
        ownEpoch,
        coordinator: coordinator?.name,
        name,
        isRunning,
        isToldToStop,
        inRotation,
        phase,
        view: disk.view.number,
        held,
        applied: core.log.applied,
        open: core.log.open().map(({ slot, epoch }) => [slot, epoch]),
      });
    });
    const open = this.#isAnswered ? "" : "; requests are open";
    return `view ${view.number} of ${view.members.join(", ")}; ${servers.join("; ")}${open}`;
  }
}

function isSame(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
