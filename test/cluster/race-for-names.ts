import { now } from "../../src/platform/clock.ts";
import { seededRandom } from "../../src/platform/random.ts";
import {
  type Failover,
  type FailoverFault,
  failoverFaults,
  failoversOf,
} from "../../src/trials/chaos/core/failovers.ts";
import { type PlannedFault, theCoordinator } from "../../src/trials/chaos/core/fault-plan.ts";
import {
  type ClaimObservations,
  type ClaimViolation,
  checkClaims,
} from "../../src/trials/chaos/core/names.ts";
import { FaultPerformer } from "../../src/trials/chaos/fault-performer.ts";
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
  /** How often each of the three faults hits the coordinator: it is killed, stopped or cut off. */
  readonly rounds: number;
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
 * the coordinator, each time until another term begins. Then it stops all processes and checks the
 * answers.
 */
export async function raceForNames(options: RaceOptions): Promise<RaceResult> {
  const { folder, seed, inFlight } = options;
  await using cluster = await RelayedCluster.start({ servers, folder, logLevel: "info" });
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
    const watch = new CoordinatorWatch(folder, cluster.local.of("server"));
    const performer = await disturb({ options, cluster, race, watch, elapsedMs });
    await running;
    const lengthMs = elapsedMs();
    const { claims } = race;
    const { marks } = performer;
    const failovers = failoversOf(watch.terms(began), marks, claims);
    await race.close();
    await cluster.stop();
    const accounts = await accountsOf(folder);
    const violations = checkClaims({ claims, accounts });
    return { claims, accounts, violations, faults: countKinds(marks), failovers, lengthMs };
  } finally {
    await race.close();
  }
}

interface Disturbed {
  readonly options: RaceOptions;
  readonly cluster: RelayedCluster;
  readonly race: NameRace;
  readonly watch: CoordinatorWatch;
  readonly elapsedMs: () => number;
}

/** Performs one fault after another. Each fault begins when enough names have an owner. */
async function disturb(disturbed: Disturbed): Promise<FaultPerformer> {
  const { options, cluster, race, watch, elapsedMs } = disturbed;
  const { relay, processes } = cluster;
  const performer = new FaultPerformer({
    processes,
    relay,
    elapsedMs,
    holder: () => watch.coordinator,
    isOutage: () => false,
    onFault: ({ kind }) => options.onFault?.(`${kind} of ${watch.coordinator}`, race.owned),
  });
  const labels = processes.map(({ label }) => label);
  const faults = numbers(options.rounds).flatMap(() => failoverFaults);
  try {
    for (const [at, kind] of faults.entries()) {
      const goal = Math.floor((options.names * (at + 1)) / (faults.length + 2));
      await until(() => race.owned >= goal, `${goal} names with an owner`, shareLimitMs);
      await untilNextTerm(performer, watch, faultOf(kind, labels));
    }
  } finally {
    performer.mend();
  }
  return performer;
}

/** Performs a fault on the coordinator, waits for the next term, and mends the fault. */
async function untilNextTerm(
  performer: FaultPerformer,
  watch: CoordinatorWatch,
  fault: PlannedFault,
): Promise<void> {
  const { performed, marks } = performer;
  const { length } = performed;
  const isDone = async () => {
    await performer.perform([fault], new AbortController().signal);
    return performed.length > length;
  };
  await until(isDone, "a coordinator", failoverLimitMs);
  const terms = watch.entered().length;
  await until(() => watch.entered().length > terms, "the next term", failoverLimitMs);
  performer.mend();
  const isBack = () => marks.every(({ toMs }) => toMs !== undefined);
  await until(isBack, "the process is back", failoverLimitMs);
}

/** Returns a fault of the coordinator that begins at once and lasts until it is mended. */
function faultOf(kind: FailoverFault, labels: readonly string[]): PlannedFault {
  const forMs = 2 * failoverLimitMs;
  switch (kind) {
    case "kill":
      return { kind, targets: [theCoordinator], atMs: 0 };
    case "stop":
      return { kind, targets: [theCoordinator], forMs, atMs: 0 };
    case "cut":
      return {
        kind,
        target: theCoordinator,
        others: labels,
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
