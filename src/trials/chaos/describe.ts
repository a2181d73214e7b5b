import { writeEpoch } from "../../protocol/epoch.ts";
import type { TrialText } from "../texts/texts.ts";
import { type Rule, rules } from "./core/checker.ts";
import { type Failover, failoverFaults } from "./core/failovers.ts";
import type { Fault } from "./core/fault-plan.ts";
import type { Latency } from "./core/pace.ts";
import type { Verdict } from "./core/verdict.ts";

/** The most names that are listed; a longer list is written as "everybody". */
const mostNamed = 3;

export function describeFault(fault: Fault, text: TrialText): string {
  const what = describePlain(fault, text);
  return fault.office === undefined ? what : text(officeTexts[fault.office], { what });
}

const officeTexts = {
  coordinator: "atCoordinator",
  primary: "atPrimary",
  standby: "atStandby",
} as const;

function describePlain(fault: Fault, text: TrialText): string {
  switch (fault.kind) {
    case "kill":
      return text("kill", { targets: fault.targets.join(", ") });
    case "stop": {
      const seconds = inSeconds(fault.forMs);
      return text("stop", { targets: fault.targets.join(", "), seconds });
    }
    case "cut": {
      const { target, others, way, forMs } = fault;
      const key = { both: "cut", out: "cutOut", in: "cutIn" } as const;
      return text(key[way], { target, others: named(others, text), seconds: inSeconds(forMs) });
    }
    case "slow": {
      const { target, delayMs: delay, forMs } = fault;
      return text("slow", { target, delay, seconds: inSeconds(forMs) });
    }
    case "reset":
      return text("reset", { target: fault.target });
    case "promote":
      return text("promote", { targets: fault.targets.join(", ") });
    default:
      return fault satisfies never;
  }
}

/**
 * Returns sentences about a failover: the old coordinator, its successor, and how long the change
 * took.
 */
export function describeFailover(failover: Failover, text: TrialText): string {
  const { fault, coordinator, epoch, successor, newEpoch, officeAfterMs } = failover;
  const { servedAfterMs } = failover;
  const what = text(failoverTexts[fault], {
    coordinator,
    epoch: writeEpoch(epoch),
    successor,
    newEpoch: writeEpoch(newEpoch),
    after: inHundredths(officeAfterMs),
  });
  const served =
    servedAfterMs === undefined
      ? text("notServed")
      : text("served", { seconds: inHundredths(servedAfterMs) });
  return `${what} ${served}`;
}

const failoverTexts = {
  kill: "failoverKill",
  stop: "failoverStop",
  cut: "failoverCut",
} as const;

function named(labels: readonly string[], text: TrialText): string {
  return labels.length > mostNamed ? text("everybody") : labels.join(", ");
}

export function inSeconds(ms: number): string {
  return (ms / 1_000).toFixed(1);
}

function inHundredths(ms: number): string {
  return (ms / 1_000).toFixed(2);
}

/** Returns, for each rule, its name, how often it was broken, and its meaning. */
export function ruleRows(verdict: Verdict, text: TrialText) {
  return rules.map((rule: Rule) => ({
    name: text(`${rule}`),
    count: verdict[rule],
    meaning: text(`${rule}Means`),
  }));
}

/** Returns sentences about faults, messages, pace, claims and failovers. */
export function summary(verdict: Verdict, text: TrialText): string[] {
  const { faults, seed, seconds, kills } = verdict;
  const { attempted, acknowledged, indeterminate, indeterminateRead, read, heard } = verdict;
  const { longestPauseMs, longestLatencyMs, p50Ms, p99Ms } = verdict;
  return [
    text("faults", { seed, seconds, kills, ...faults }),
    text("messages", {
      attempted,
      acknowledged,
      indeterminate,
      there: indeterminateRead,
      read,
      heard,
    }),
    text("pace", {
      pause: inSeconds(longestPauseMs),
      latency: inSeconds(longestLatencyMs),
      p50: p50Ms,
      p99: p99Ms,
    }),
    text("claims", { ...verdict.claims }),
    text("changes", { ...verdict.changes }),
    ...failoverSummary(verdict, text),
  ];
}

function failoverSummary(verdict: Verdict, text: TrialText): string[] {
  const { failovers, failoverMs, failoverAloneMs } = verdict;
  const counts = failoverFaults.map((fault) => {
    return [fault, failovers.filter((one) => one.fault === fault).length];
  });
  const seconds = ({ p50Ms, p99Ms, maxMs }: Latency) => {
    return { p50: inHundredths(p50Ms), p99: inHundredths(p99Ms), max: inHundredths(maxMs) };
  };
  const all = failoverMs && {
    count: failovers.length,
    ...(Object.fromEntries(counts) as Record<(typeof failoverFaults)[number], number>),
    ...seconds(failoverMs),
  };
  return [
    all === null ? text("noFailovers") : text("failovers", all),
    ...(failoverAloneMs === null
      ? []
      : [
          text("failoversAlone", {
            count: failoverAloneMs.count,
            ...seconds(failoverAloneMs),
          }),
        ]),
  ];
}

/** Returns the verdict as lines of text. */
export function describeVerdict(verdict: Verdict, text: TrialText): string[] {
  const rows = ruleRows(verdict, text);
  const nameWidth = Math.max(...rows.map(({ name }) => name.length));
  const countWidth = Math.max(...rows.map(({ count }) => String(count).length));
  return [
    ...summary(verdict, text),
    "",
    ...rows.map(({ name, count, meaning }) => {
      return `  ${name.padEnd(nameWidth)}  ${String(count).padStart(countWidth)}  ${meaning}`;
    }),
    "",
    ...verdict.examples.map((example) => `  ${example}`),
    text(verdict.ok ? "ok" : "broken"),
  ];
}
