import type { Change } from "./changes.ts";
import type { Observations, Rule, Violation, Write } from "./checker.ts";
import { rules } from "./checker.ts";
import type { Failover } from "./failovers.ts";
import type { Fault } from "./fault-plan.ts";
import { wasTold } from "./names.ts";
import { type Latency, latencyOf, type Pace } from "./pace.ts";

/** The result of a run, which `--json` prints. */
export interface Verdict extends Readonly<Record<Rule, number>> {
  /** Whether no rule was broken and at least one write was acknowledged. */
  readonly ok: boolean;
  readonly seed: number;
  readonly seconds: number;
  readonly servers: number;
  /** The number of planned faults of each kind; a fault may have several targets. */
  readonly faults: Readonly<Record<Fault["kind"], number>>;
  /** The number of processes that were killed. */
  readonly kills: number;
  readonly attempted: number;
  readonly acknowledged: number;
  /** The number of writes for which no answer said whether they took effect. */
  readonly indeterminate: number;
  /**
   * The number of indeterminate writes that were read after the run, which shows that they took
   * effect.
   */
  readonly indeterminateRead: number;
  readonly read: number;
  readonly heard: number;
  readonly longestPauseMs: number;
  readonly longestLatencyMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly claims: ClaimCounts;
  readonly changes: ChangeCounts;
  readonly failovers: readonly Failover[];
  /**
   * Statistics of the times from a fault to the next granted claim, over all failovers; null
   * without failovers.
   */
  readonly failoverMs: Latency | null;
  /**
   * The same statistics as `failoverMs`, over failovers by kill -9 during which no other fault was
   * active (E4).
   */
  readonly failoverAloneMs: (Latency & { readonly count: number }) | null;
  /** Sentences about the first violations of each rule. */
  readonly examples: readonly string[];
}

export interface ClaimCounts {
  readonly names: number;
  readonly attempted: number;
  readonly won: number;
  readonly taken: number;
  /** The number of claims that were undecided when their clients gave up. */
  readonly givenUp: number;
}

/** The changes of passwords and of locks, by what their clients were told. */
export interface ChangeCounts {
  readonly passwords: number;
  readonly locks: number;
  readonly done: number;
  readonly refused: number;
  readonly givenUp: number;
}

export interface RunFacts {
  readonly seed: number;
  readonly seconds: number;
  readonly servers: number;
  readonly plan: readonly Fault[];
  readonly kills: number;
  readonly seen: Observations;
  readonly violations: readonly Violation[];
  readonly pace: Pace;
  readonly failovers: readonly Failover[];
}

/** The most violations of one rule that a verdict shows as examples. */
const mostExamples = 5;

export function verdictOf(facts: RunFacts): Verdict {
  const { seed, seconds, servers, plan, kills, seen, violations, pace, failovers } = facts;
  const read = new Set(seen.reports.flatMap(({ entries }) => entries.map((e) => e.message)));
  const isOpen = ({ acknowledged, refused }: Write) =>
    acknowledged === undefined && refused === undefined;
  const open = seen.writes.filter(isOpen);
  const violationsOf = (rule: Rule) => violations.filter((violation) => violation.rule === rule);
  const counts = rules.map((rule) => [rule, violationsOf(rule).length] as const);
  const examples = rules.flatMap((rule) => violationsOf(rule).slice(0, mostExamples));
  const acknowledged = seen.writes.filter((write) => write.acknowledged !== undefined).length;
  // A run without an acknowledged write fails, although it breaks no rule.
  const idleness = acknowledged === 0 ? ["nothing was acknowledged at all"] : [];
  return {
    ok: violations.length === 0 && acknowledged > 0,
    seed,
    seconds,
    servers,
    ...(Object.fromEntries(counts) as Record<Rule, number>),
    longestPauseMs: Math.round(pace.longestPauseMs),
    longestLatencyMs: Math.round(pace.latency?.maxMs ?? 0),
    p50Ms: Math.round(pace.latency?.p50Ms ?? 0),
    p99Ms: Math.round(pace.latency?.p99Ms ?? 0),
    kills,
    faults: countKinds(plan),
    attempted: seen.writes.length,
    acknowledged,
    indeterminate: open.length,
    indeterminateRead: open.filter(({ message }) => read.has(message)).length,
    read: read.size,
    heard: seen.deliveries.reduce((sum, { entries }) => sum + entries.length, 0),
    claims: countClaims(seen),
    changes: countChanges(seen),
    failovers,
    ...failoverFigures(failovers),
    examples: [...idleness, ...examples.map(({ rule, detail }) => `${rule}: ${detail}`)],
  };
}

export function countClaims({ claims }: Pick<Observations, "claims">): ClaimCounts {
  return {
    names: new Set(claims.map(({ name }) => name)).size,
    attempted: claims.length,
    won: claims.filter((claim) => wasTold(claim, "won")).length,
    taken: claims.filter((claim) => wasTold(claim, "taken")).length,
    givenUp: claims.filter(({ answers, isGivenUp }) => isGivenUp && answers.length === 0).length,
  };
}

function countChanges({ changes }: Observations): ChangeCounts {
  const of = (kind: Change["kind"]) => changes.filter((change) => change.kind === kind).length;
  return {
    passwords: of("password"),
    locks: of("lock"),
    done: changes.filter(({ told }) => told.length > 0).length,
    refused: changes.filter(({ refused }) => refused !== undefined).length,
    givenUp: changes.filter(({ isGivenUp }) => isGivenUp).length,
  };
}

function failoverFigures(
  all: readonly Failover[],
): Pick<Verdict, "failoverMs" | "failoverAloneMs"> {
  const served = (some: readonly Failover[]) => some.flatMap((one) => one.servedAfterMs ?? []);
  const alone = all.filter(({ fault, isAlone }) => fault === "kill" && isAlone);
  const aloneMs = latencyOf(served(alone));
  return {
    failoverMs: latencyOf(served(all)) ?? null,
    failoverAloneMs: aloneMs === undefined ? null : { count: alone.length, ...aloneMs },
  };
}

function countKinds(plan: readonly Fault[]): Record<Fault["kind"], number> {
  const counts = { kill: 0, stop: 0, cut: 0, slow: 0, reset: 0, promote: 0 };
  for (const { kind } of plan) counts[kind] += 1;
  return counts;
}
