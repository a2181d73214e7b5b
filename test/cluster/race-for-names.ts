import { now } from "../../src/platform/clock.ts";
import { seededRandom } from "../../src/platform/random.ts";
import { parseUserName } from "../../src/protocol/ids.ts";
import {
  type Failover,
  type FailoverFault,
  failoverFaults,
  failoversOf,
} from "../../src/trials/chaos/core/failovers.ts";
import { type PlannedFault, theCoordinator } from "../../src/trials/chaos/core/fault-plan.ts";
import {
  type AccountsFile,
  type ClaimObservations,
  type ClaimViolation,
  checkClaims,
} from "../../src/trials/chaos/core/names.ts";
import { ChaosDatabase } from "../../src/trials/chaos/database.ts";
import { engineState } from "../../src/trials/chaos/engine-state.ts";
import { FaultPerformer, type Target } from "../../src/trials/chaos/fault-performer.ts";
import { accountsOf } from "../../src/trials/chaos/final-state.ts";
import { NameRace } from "../../src/trials/chaos/name-race.ts";
import { CoordinatorWatch } from "../../src/trials/coordinator-watch.ts";
import { RelayedCluster } from "../../src/trials/relayed-cluster.ts";
import { until } from "../support/until.ts";

export interface RaceOptions {
  /** The path of an empty folder for the cluster's files. */
  readonly folder: string;
  /** The number of clients, each with its own connection. */
  readonly clients: number;
  /** The number of names. Each client claims all names, in its own order. */
  readonly names: number;
  /** How many claims each client has open at a time. */
  readonly inFlight: number;
  /**
   * How often each of the three faults comes: the coordinator is killed, stopped or cut off. With an
   * engine there is no coordinator, and the faults hit each server in turn.
   */
  readonly rounds: number;
  /** Whether the servers have an engine: a PostgreSQL of this race, with a standby. */
  readonly hasEngine?: boolean;
  readonly seed: number;
  readonly onFault?: (fault: string, namesOwned: number) => void;
}

export interface RaceResult extends ClaimObservations {
  readonly violations: readonly ClaimViolation[];
  readonly faults: Readonly<Record<FailoverFault, number>>;
  readonly failovers: readonly Failover[];
  /** The time from the first claim to the last answer. */
  readonly lengthMs: number;
}

const servers = 3;
/** If a wait is longer than its limit, in ms, the test fails instead of hanging. */
const shareLimitMs = 240_000;
const failoverLimitMs = 30_000;

/**
 * Lets many clients register the same names at the same time, while it kills, stops and cuts off
 * servers, each time until the others go on. Then it logs in under each name, stops all processes and
 * checks the answers.
 */
export async function raceForNames(options: RaceOptions): Promise<RaceResult> {
  const { folder, seed, inFlight, hasEngine = false } = options;
  await using engine = hasEngine ? await ChaosDatabase.start() : undefined;
  await using cluster = await RelayedCluster.start({ servers, folder, logLevel: "info", engine });
  const began = now();
  const elapsedMs = () => now().steadyMs - began.steadyMs;
  const racers = numbers(options.clients).map((number) => ({ name: `client ${number}` }));
  const names = numbers(options.names).map((number) => `name-${number}`);
  const { brokers } = cluster.endpoints;
  const race = new NameRace({ brokers, racers, random: seededRandom(seed), elapsedMs });
  const running = race.runThrough(names, inFlight);
  // If a fault can't be performed, its error is thrown, and an error of the claims is ignored.
  running.catch(() => {});
  try {
    const engineTargets = engine?.targets ?? [];
    const watch = new CoordinatorWatch(folder, cluster.local.of("server"));
    const performer = await disturb({ options, engineTargets, cluster, race, watch, elapsedMs });
    await running;
    const lengthMs = elapsedMs();
    const { claims } = race;
    const { marks } = performer;
    const failovers = failoversOf(watch.terms(began), marks, claims);
    await race.close();
    const told = await accountsToldOf(names, cluster);
    await cluster.stop();
    const kept = engine && (await engineState(engine.url, [])).accounts;
    const accounts = [...(kept ?? (await accountsOf(folder))), told];
    const violations = checkClaims({ claims, accounts });
    return { claims, accounts, violations, faults: countKinds(marks), failovers, lengthMs };
  } finally {
    await race.close();
  }
}

/** Logs in under each name. What the servers tell of its account must be what they keep. */
async function accountsToldOf(
  names: readonly string[],
  cluster: RelayedCluster,
): Promise<AccountsFile> {
  const session = cluster.client({ proxies: [], deadlineMs: failoverLimitMs });
  const accounts = await Promise.all(
    names.map(async (user) => {
      const { account } = await session.ask("login", { user: parseUserName(user) });
      return account === undefined ? [] : [{ user, id: account }];
    }),
  );
  return { replica: "the log-ins", accounts: accounts.flat() };
}

interface Disturbed {
  readonly options: RaceOptions;
  readonly engineTargets: readonly Target[];
  readonly cluster: RelayedCluster;
  readonly race: NameRace;
  readonly watch: CoordinatorWatch;
  readonly elapsedMs: () => number;
}

/** Performs one fault after another. Each fault begins when enough names have an owner. */
async function disturb(disturbed: Disturbed): Promise<FaultPerformer> {
  const { options, engineTargets, cluster, race, watch, elapsedMs } = disturbed;
  const { relay, processes } = cluster;
  const performer = new FaultPerformer({
    processes,
    relay,
    elapsedMs,
    holder: () => watch.coordinator,
    isOutage: () => false,
    onFault: () => {},
  });
  const faults = numbers(options.rounds).flatMap(() => failoverFaults);
  const { hasEngine = false, names } = options;
  const labels = [...processes, ...engineTargets].map(({ label }) => label);
  try {
    for (const [at, kind] of faults.entries()) {
      const goal = Math.floor((names * (at + 1)) / (faults.length + 2));
      await until(() => race.owned >= goal, `${goal} names with an owner`, shareLimitMs);
      const target = hasEngine ? `server ${1 + (at % servers)}` : theCoordinator;
      await perform(performer, faultOf(kind, target, labels));
      options.onFault?.(`${kind} of ${performer.marks.at(-1)?.node}`, race.owned);
      const terms = watch.entered().length;
      const more = Math.min(names, race.owned + Math.ceil(names / 20));
      const goesOn = () => (hasEngine ? race.owned >= more : watch.entered().length > terms);
      await until(goesOn, "the others go on", failoverLimitMs);
      await mend(performer);
    }
  } finally {
    performer.mend();
  }
  return performer;
}

/** Waits until there is somebody whom the fault can hit, and begins it. */
async function perform(performer: FaultPerformer, fault: PlannedFault): Promise<void> {
  const { performed } = performer;
  const { length } = performed;
  const isDone = async () => {
    await performer.perform([fault], new AbortController().signal);
    return performed.length > length;
  };
  await until(isDone, "a coordinator", failoverLimitMs);
}

/** Ends the fault, and waits until the process is back. */
async function mend(performer: FaultPerformer): Promise<void> {
  performer.mend();
  const isBack = () => performer.marks.every(({ toMs }) => toMs !== undefined);
  await until(isBack, "the process is back", failoverLimitMs);
}

/** Returns a fault that begins at once and lasts until it is mended. */
function faultOf(kind: FailoverFault, target: string, others: readonly string[]): PlannedFault {
  const forMs = 2 * failoverLimitMs;
  switch (kind) {
    case "kill":
      return { kind, targets: [target], atMs: 0 };
    case "stop":
      return { kind, targets: [target], forMs, atMs: 0 };
    case "cut":
      return {
        kind,
        target,
        others,
        way: "both",
        forMs,
        reset: false,
        atMs: 0,
      };
    default:
      return kind satisfies never;
  }
}

function countKinds(marks: FaultPerformer["marks"]): Record<FailoverFault, number> {
  const count = (kind: FailoverFault) => marks.filter(({ fault }) => fault.kind === kind).length;
  return { kill: count("kill"), stop: count("stop"), cut: count("cut") };
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, at) => at + 1);
}
