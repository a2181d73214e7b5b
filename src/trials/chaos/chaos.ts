import type { Session } from "../../client/session.ts";
import type { Child } from "../../cluster/child.ts";
import { Sessions } from "../../net/sessions.ts";
import { now, pause } from "../../platform/clock.ts";
import { seededRandom } from "../../platform/random.ts";
import { openSecret, secretSource } from "../../platform/secret.ts";
import { Settings } from "../../platform/settings.ts";
import { limits } from "../../protocol/limits.ts";
import { CoordinatorWatch } from "../coordinator-watch.ts";
import { clientsNode } from "../relay-wiring.ts";
import { RelayedCluster } from "../relayed-cluster.ts";
import { saveJournals } from "../saved-states.ts";
import { ChangeRace } from "./change-race.ts";
import type { Change } from "./core/changes.ts";
import { check, type Observations, unheard } from "./core/checker.ts";
import { type Failover, failoversOf, type Term } from "./core/failovers.ts";
import { type Office, type PlannedFault, planFaults } from "./core/fault-plan.ts";
import { type Pace, paceOf } from "./core/pace.ts";
import { type Verdict, verdictOf } from "./core/verdict.ts";
import { ChaosDatabase } from "./database.ts";
import { engineState } from "./engine-state.ts";
import { FaultPerformer, type Mark, type Target } from "./fault-performer.ts";
import { accountsOf, agree, changedOf, filesOf, type Question, reportsOf } from "./final-state.ts";
import { conversations, Load } from "./load.ts";
import { NameRace } from "./name-race.ts";

export interface ChaosConfig {
  readonly seconds: number;
  readonly seed: number;
  readonly servers: number;
  /** The path of an empty folder for data and logs. */
  readonly folder: string;
  /** Whether the servers have an engine: a PostgreSQL of this run, with a standby and a Redis. */
  readonly hasEngine?: boolean;
}

/** The part of a run that is in progress. */
export type Phase = "starting" | "disturbing" | "healing" | "checking";

export interface ChaosWatcher {
  onPhase(phase: Phase): void;
  onFault(fault: PlannedFault): void;
}

export interface ChaosResult {
  readonly verdict: Verdict;
  readonly plan: readonly PlannedFault[];
  /**
   * The faults that were performed, with the processes that they hit. A fault of an office, such as
   * that of the coordinator, is not performed while no process has it.
   */
  readonly performed: readonly PlannedFault[];
  /** All terms of coordinators, including terms that began before the load. */
  readonly terms: readonly Term[];
  readonly failovers: readonly Failover[];
  /** The performed faults, one mark for each process that a fault hit. */
  readonly marks: readonly Mark[];
  /** The labels of all processes and of the clients, in the order of the report. */
  readonly nodes: readonly string[];
  readonly pace: Pace;
  readonly lengthMs: number;
}

/**
 * Writes per second: a moderate load, because the trial tests how the cluster behaves under faults,
 * and not its speed.
 */
const writesPerSecond = 100;
const racers = [
  { name: "eva" },
  { name: "gil" },
  { name: "ivo" },
  { name: "lia", isImpatient: true },
] as const;
/**
 * The most milliseconds for which a run waits until the cluster has healed: enough for a slow
 * machine.
 */
const healMs = 60_000;
const askMs = 5_000;
/**
 * The most milliseconds for which a run waits for the last deliveries. This time is enough, because
 * a subscription looks for missed messages every 4 s.
 */
const deliveryMs = 20_000;
const lookMs = 250;

/**
 * Runs a new cluster under load and faults, heals it, stops it, and checks what clients saw.
 * @param signal ends the faults early; the cluster is then healed and checked as usual
 */
export async function runChaos(
  config: ChaosConfig,
  watcher: ChaosWatcher,
  signal: AbortSignal,
): Promise<ChaosResult> {
  watcher.onPhase("starting");
  await using scene = await Scene.open(config);
  const plan = planFaults(seededRandom(config.seed), 1_000 * config.seconds, {
    servers: scene.labels("server"),
    others: [...scene.labels("broker"), ...scene.labels("proxy"), ...scene.labels("reference")],
    clients: clientsNode,
    ...(scene.database && { storage: scene.storage.map(({ label }) => label) }),
  });
  await scene.load.prepare();
  await scene.changes.prepare();
  watcher.onPhase("disturbing");
  const performer = await scene.disturb(plan, watcher, signal);
  const lengthMs = scene.elapsedMs();
  watcher.onPhase("healing");
  const seen = await scene.finalState(() => watcher.onPhase("checking"));
  const observations = { ...seen, outages: performer.outages };
  const pace = paceOf(seen.writes, lengthMs);
  const { seed, seconds, servers } = config;
  const { kills, marks, performed } = performer;
  const terms = scene.terms().filter(({ atMs }) => atMs <= lengthMs);
  const failovers = failoversOf(terms, marks, seen.claims);
  const violations = check(observations);
  const run = { seed, seconds, servers, plan, kills, pace, failovers };
  const verdict = verdictOf({ ...run, seen: observations, violations });
  const nodes = [...scene.targets.map(({ label }) => label), clientsNode];
  return { verdict, plan, performed, terms, failovers, marks, nodes, pace, lengthMs };
}

/**
 * Returns the servers' settings. With them, servers save states and fetch states from each other
 * during the faults, and keep all messages (J1, J3).
 */
function settingsOf({ seconds }: ChaosConfig) {
  // In a long run the state becomes large, so servers save it less often.
  const checkpointBytes = 1_024 * Math.max(64, seconds);
  const kept = String(limits.channelMessages + writesPerSecond * seconds);
  return {
    TERTULIA_CHECKPOINT_BYTES: String(checkpointBytes),
    TERTULIA_KEEP_PUBLICATIONS: kept,
    TERTULIA_KEEP_MESSAGES: kept,
  };
}

/** A token of the cluster whose data is in the folder, for its administration. */
function operatorOf(folder: string): string {
  const secret = openSecret(secretSource(new Settings({ data: folder }, {})));
  return new Sessions(secret.deriveKeys("token")).giveOperator(now().wallMs);
}

class Scene implements AsyncDisposable {
  readonly load: Load;
  readonly race: NameRace;
  readonly changes: ChangeRace;
  readonly database: ChaosDatabase | undefined;
  readonly #config: ChaosConfig;
  readonly #cluster: RelayedCluster;
  readonly #watch: CoordinatorWatch;
  /** The servers' names. A process has the same name after a restart. */
  readonly #servers: readonly string[];
  #began = now();

  private constructor(config: ChaosConfig, cluster: RelayedCluster, database?: ChaosDatabase) {
    this.database = database;
    this.#config = config;
    this.#cluster = cluster;
    const servers = cluster.local.of("server");
    this.#watch = new CoordinatorWatch(config.folder, servers);
    this.#servers = servers.flatMap(({ ready }) => ready?.name ?? []);
    const { brokers, proxies } = cluster.endpoints;
    const elapsedMs = () => this.elapsedMs();
    const random = seededRandom(config.seed + 1);
    this.load = new Load({ brokers, proxies, writesPerSecond, random, elapsedMs });
    const drawn = seededRandom(config.seed + 2);
    this.race = new NameRace({ brokers, racers, random: drawn, elapsedMs });
    const operator = operatorOf(config.folder);
    this.changes = new ChangeRace({
      brokers,
      racers,
      operator,
      random: seededRandom(config.seed + 3),
    });
  }

  static async open(config: ChaosConfig): Promise<Scene> {
    const settings = () => settingsOf(config);
    const engine = config.hasEngine ? await ChaosDatabase.start() : undefined;
    const options = { ...config, settings, logLevel: "info", auth: "required", engine } as const;
    try {
      return new Scene(config, await RelayedCluster.start(options), engine);
    } catch (error) {
      await engine?.[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Everything that faults can hit. */
  get targets(): readonly Target[] {
    return [...this.#cluster.processes, ...this.storage];
  }

  /** The engine's servers, and the Redis beside them. */
  get storage(): readonly Target[] {
    const { targets = [], redis } = this.database ?? {};
    return redis === undefined ? targets : [...targets, redis];
  }

  labels(role: Child["role"]): string[] {
    return this.#cluster.local.of(role).map(({ label }) => label);
  }

  /** Milliseconds since the load began. */
  elapsedMs(): number {
    return now().steadyMs - this.#began.steadyMs;
  }

  terms(): Term[] {
    return this.#watch.terms(this.#began);
  }

  /** Runs the load and performs the faults, until the time of the run is over. */
  async disturb(
    plan: readonly PlannedFault[],
    { onFault }: ChaosWatcher,
    signal: AbortSignal,
  ): Promise<FaultPerformer> {
    this.#began = now();
    const performer = new FaultPerformer({
      processes: this.targets,
      relay: this.#cluster.relay,
      elapsedMs: () => this.elapsedMs(),
      holder: (office) => this.#holder(office),
      isOutage: (stopped) => this.#isOutage(stopped),
      ...(this.database && { promote: () => (this.database as ChaosDatabase).promote() }),
      onFault,
    });
    try {
      this.load.start();
      this.race.start();
      this.changes.start();
      await performer.perform(plan, signal);
      await performer.subsided(signal);
      await pause(1_000 * this.#config.seconds - this.elapsedMs(), signal);
    } finally {
      performer.mend();
    }
    return performer;
  }

  #holder(office: Office): string | undefined {
    return office === "coordinator" ? this.#watch.coordinator : this.database?.[office];
  }

  /**
   * No write can be committed without a majority of the servers. With an engine, each server is
   * enough, but both the primary and its standby are needed.
   */
  #isOutage(stopped: readonly Target[]): boolean {
    const count = (role: string) => stopped.filter((target) => target.role === role).length;
    if (this.#cluster.local.engine !== undefined) return count("database") > 0;
    return 2 * count("server") > this.#servers.length;
  }

  /**
   * Returns what all servers report after healing, and what their disks contain after a clean stop.
   */
  async finalState(onHealed: () => void): Promise<Omit<Observations, "outages">> {
    await Promise.all([this.load.finish(), this.race.finish(), this.changes.finish()]);
    const clients = new Map(
      conversations.map((conversation) => {
        const token = this.load.tokenOf(conversation);
        return [conversation, this.#cluster.local.client({ deadlineMs: askMs, token })];
      }),
    );
    const question: Question = {
      clientFor: (conversation) => clients.get(conversation) as Session,
      servers: this.#servers,
      conversations,
      limitMs: healMs,
    };
    await this.database?.settled();
    // If the servers do not agree in time, their reports show the differences.
    await agree(question);
    onHealed();
    const reports = await reportsOf(question);
    const { writes, reads, deliveries } = this.load;
    const untilMs = now().steadyMs + deliveryMs;
    while (unheard({ writes, reports, deliveries }).length > 0 && now().steadyMs < untilMs) {
      await pause(lookMs);
    }
    await this.#stop();
    const { claims } = this.race;
    const { changes } = this.changes;
    const messages = { servers: this.#servers, writes, reads, deliveries, reports };
    return { ...messages, claims, changes, ...(await this.#stored(changes)) };
  }

  /** Returns what is on disk after a clean stop: of each server, or of the engine. */
  async #stored(
    changes: readonly Change[],
  ): Promise<Pick<Observations, "files" | "accounts" | "changed">> {
    const { engine } = this.#cluster.local;
    if (engine !== undefined) return { files: [], ...(await engineState(engine, changes)) };
    const { folder } = this.#config;
    await saveJournals(folder, settingsOf(this.#config));
    const [files, accounts] = [await filesOf(folder), await accountsOf(folder)];
    return { files, accounts, changed: await changedOf(folder, changes) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
    await this.#cluster[Symbol.asyncDispose]();
    await this.database?.[Symbol.asyncDispose]();
  }

  async #stop(): Promise<void> {
    this.changes.close();
    await Promise.all([this.load.close(), this.race.close()]);
    await this.#cluster.stop();
  }
}
