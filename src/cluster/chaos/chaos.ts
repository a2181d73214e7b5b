import { now, pause } from "../../platform/clock.ts";
import { seededRandom } from "../../platform/random.ts";
import { limits } from "../../protocol/limits.ts";
import type { Child } from "../child.ts";
import { LocalCluster } from "../local-cluster.ts";
import { Relay } from "../relay.ts";
import { clientsParty, RelayWiring, relayPorts } from "../relay-wiring.ts";
import { check, type Observations, unheard } from "./core/checker.ts";
import { type PlannedFault, planFaults } from "./core/fault-plan.ts";
import { type Pace, paceOf } from "./core/pace.ts";
import { type Verdict, verdictOf } from "./core/verdict.ts";
import { FaultPerformer, type Mark } from "./fault-performer.ts";
import { conversations, Load } from "./load.ts";
import { agree, filesOf, type Question, tellAll } from "./testimony.ts";

export interface ChaosConfig {
  readonly seconds: number;
  readonly seed: number;
  readonly servers: number;
  /** An empty folder, for the data and the logs. */
  readonly folder: string;
}

/** What a run does at present. */
export type Phase = "starting" | "disturbing" | "healing" | "checking";

export interface ChaosWatcher {
  onPhase(phase: Phase): void;
  onFault(fault: PlannedFault): void;
}

export interface ChaosResult {
  readonly verdict: Verdict;
  readonly plan: readonly PlannedFault[];
  /** What came of the plan, process by process. */
  readonly marks: readonly Mark[];
  /** All processes, in the order in which they are shown. */
  readonly parties: readonly string[];
  readonly pace: Pace;
  readonly lengthMs: number;
}

/** Moderate: the faults are to be the load. */
const writesPerSecond = 100;
/** What the cluster is given to heal, on a slow machine too. */
const healMs = 60_000;
const askMs = 5_000;
/** A subscription looks for what it missed every 4 s. */
const hearMs = 20_000;
const lookMs = 250;

/**
 * A fresh cluster under load and under faults, then healed, stopped and judged.
 * @param signal ends the faults early; what was done so far is judged all the same
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
    clients: clientsParty,
  });
  await scene.load.prepare();
  watcher.onPhase("disturbing");
  const performer = await scene.disturb(plan, watcher, signal);
  const lengthMs = scene.elapsedMs();
  watcher.onPhase("healing");
  const seen = await scene.testify(() => watcher.onPhase("checking"));
  const observations = { ...seen, outages: performer.outages };
  const pace = paceOf(seen.writes, lengthMs);
  const { seed, seconds, servers } = config;
  const { kills, marks } = performer;
  const violations = check(observations);
  const facts = { seed, seconds, servers, plan, kills, seen: observations, violations, pace };
  const parties = [...scene.processes.map(({ label }) => label), clientsParty];
  return { verdict: verdictOf(facts), plan, marks, parties, pace, lengthMs };
}

/** States are saved and fetched under the faults too, and all that is written is kept (J1, J3). */
function settingsOf({ seconds }: ChaosConfig) {
  // Less often in a long run, whose state becomes large.
  const checkpointBytes = 1_024 * Math.max(64, seconds);
  const kept = String(limits.channelMessages + writesPerSecond * seconds);
  return {
    TERTULIA_CHECKPOINT_BYTES: String(checkpointBytes),
    TERTULIA_KEEP_PUBLICATIONS: kept,
    TERTULIA_KEEP_MESSAGES: kept,
  };
}

/** Cluster, relay and load, opened and closed together. */
class Scene implements AsyncDisposable {
  readonly load: Load;
  readonly #config: ChaosConfig;
  readonly #relay: Relay;
  readonly #cluster: LocalCluster;
  /** The servers' own names, which their folders keep whatever process has them. */
  readonly #servers: readonly string[];
  #beganMs = 0;

  private constructor(parts: {
    config: ChaosConfig;
    relay: Relay;
    wiring: RelayWiring;
    cluster: LocalCluster;
  }) {
    const { config, relay, wiring, cluster } = parts;
    this.#config = config;
    this.#relay = relay;
    this.#cluster = cluster;
    this.#servers = cluster.of("server").flatMap(({ ready }) => ready?.name ?? []);
    const at = (role: "broker" | "proxy", use: string) =>
      cluster.of(role).map((child) => wiring.forClients(child, child.ready?.endpoints[use] ?? ""));
    this.load = new Load({
      brokers: at("broker", "front"),
      proxies: at("proxy", "back"),
      writesPerSecond,
      random: seededRandom(config.seed + 1),
      elapsedMs: () => this.elapsedMs(),
    });
  }

  static async open(config: ChaosConfig): Promise<Scene> {
    const { folder, servers } = config;
    const relay = await Relay.open(relayPorts(servers));
    let cluster: LocalCluster | undefined;
    const partyOf = (name: string) =>
      cluster?.of("server").find(({ ready }) => ready?.name === name)?.label;
    const wiring = new RelayWiring({ relay, folder, partyOf });
    try {
      const settings = settingsOf(config);
      cluster = await LocalCluster.start({
        servers,
        data: folder,
        logLevel: "info",
        settings,
        wiring,
      });
    } catch (error) {
      await relay[Symbol.asyncDispose]();
      throw error;
    }
    return new Scene({ config, relay, wiring, cluster });
  }

  get processes(): Child[] {
    const roles = ["server", "broker", "proxy", "reference"] as const;
    return roles.flatMap((role) => this.#cluster.of(role));
  }

  labels(role: Child["role"]): string[] {
    return this.#cluster.of(role).map(({ label }) => label);
  }

  /** Milliseconds since the load began. */
  elapsedMs(): number {
    return now().steadyMs - this.#beganMs;
  }

  /** Load and faults, for as long as the run lasts. */
  async disturb(
    plan: readonly PlannedFault[],
    { onFault }: ChaosWatcher,
    signal: AbortSignal,
  ): Promise<FaultPerformer> {
    this.#beganMs = now().steadyMs;
    const performer = new FaultPerformer({
      processes: this.processes,
      relay: this.#relay,
      elapsedMs: () => this.elapsedMs(),
      onFault,
    });
    try {
      this.load.start();
      await performer.perform(plan, signal);
      await performer.subsided(signal);
      await pause(1_000 * this.#config.seconds - this.elapsedMs(), signal);
    } finally {
      performer.mend();
    }
    return performer;
  }

  /** What all say once everything has healed, and what is on the disks after a clean stop. */
  async testify(onHealed: () => void): Promise<Omit<Observations, "outages">> {
    await this.load.finish();
    const question: Question = {
      client: this.#cluster.client({ deadlineMs: askMs }),
      servers: this.#servers,
      conversations,
      limitMs: healMs,
    };
    // Where they never agree, what they tell shows in what they differ.
    await agree(question);
    onHealed();
    const tellings = await tellAll(question);
    const { writes, readings, hearings } = this.load;
    const untilMs = now().steadyMs + hearMs;
    while (unheard({ writes, tellings, hearings }).length > 0 && now().steadyMs < untilMs) {
      await pause(lookMs);
    }
    await this.#stop();
    const files = await filesOf(this.#config.folder);
    return { servers: this.#servers, writes, readings, hearings, tellings, files };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
    await this.#relay[Symbol.asyncDispose]();
  }

  async #stop(): Promise<void> {
    await this.load.close();
    await this.#cluster.stop();
  }
}
