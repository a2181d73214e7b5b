import { parseArgs } from "node:util";
import { Problem } from "../src/platform/problem.ts";
import { flagOf } from "../src/platform/settings.ts";
import { type Report, readReport, reportOf, tableOf } from "./report.ts";
import { type Figure, figures, type Trial, type Values, type Workload } from "./workload.ts";

/** The values of one figure in all rounds. */
export interface Series {
  readonly name: string;
  readonly values: number[];
  /** The ceiling's values; empty if the figure has no ceiling. */
  readonly ceilings: number[];
  readonly most?: number | undefined;
}

export interface Results {
  readonly workload: Workload;
  readonly series: readonly Series[];
}

const usual = { seconds: "4", rounds: "3" };

const flags = {
  seconds: { type: "string" },
  rounds: { type: "string" },
  json: { type: "boolean" },
  against: { type: "string" },
  help: { type: "boolean" },
} as const;

export interface Suite {
  /** The command as a person types it. */
  readonly command: string;
  readonly workloads: readonly Workload[];
  /** The names of the workloads that run if the person names none. */
  readonly usual: readonly string[];
}

/** What the arguments say. */
interface Plan {
  readonly workloads: readonly Workload[];
  /** A sentence for each workload that can't run here. */
  readonly leftOut: readonly string[];
  readonly seconds: number;
  readonly rounds: number;
  /** The sizes that the person gave. */
  readonly sizes: ReadonlyMap<string, number>;
  readonly json: boolean;
  readonly earlier: Report | undefined;
}

/**
 * Measures the workloads that the arguments name, round after round, and prints the figures.
 * Notes about the progress go to stderr. Exit code 1 if a figure is above the most that is right,
 * 2 if the arguments are wrong.
 */
export async function runBench(suite: Suite, args: readonly string[]): Promise<void> {
  // Processes of the bench and of peers end at the event `exit`.
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(130));
  try {
    const plan = planOf(suite, args);
    if (plan === undefined) return print(helpOf(suite));
    const report = reportOf(await resultsOf(plan), plan);
    print(plan.json ? JSON.stringify(report, undefined, 2) : tableOf(report, plan.earlier));
    if (report.wrong.length > 0) process.exitCode = 1;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    note(error.message);
    process.exitCode = error.exitCode;
  }
}

/** @returns undefined if the person asks for help */
function planOf(suite: Suite, args: readonly string[]): Plan | undefined {
  const names = sizesOf(suite.workloads);
  const sizeFlags = names.map((name) => [flagName(name), { type: "string" as const }] as const);
  const { values, positionals } = parsed(args, Object.fromEntries(sizeFlags));
  if (values.help) return undefined;
  const given = values as Readonly<Record<string, string | undefined>>;
  const sizes = names.flatMap((name) => {
    const text = given[flagName(name)];
    return text === undefined ? [] : [[name, numberOf(flagName(name), text)] as const];
  });
  const { against, json = false } = values;
  const chosen = chosenOf(suite, positionals).map((workload) => {
    return { workload, reason: workload.missing?.() };
  });
  return {
    workloads: chosen.flatMap(({ workload, reason }) => (reason === undefined ? workload : [])),
    leftOut: chosen.flatMap(({ workload: { name }, reason }) => {
      return reason === undefined ? [] : `${name} is left out: ${reason}`;
    }),
    seconds: positive("seconds", values.seconds ?? usual.seconds),
    rounds: Math.ceil(positive("rounds", values.rounds ?? usual.rounds)),
    sizes: new Map(sizes),
    json,
    earlier: against === undefined ? undefined : readReport(against),
  };
}

function parsed(args: readonly string[], sizeFlags: Record<string, { type: "string" }>) {
  try {
    const options = { ...sizeFlags, ...flags };
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new Problem((error as Error).message, 2);
  }
}

async function resultsOf({ workloads, rounds, seconds, sizes }: Plan): Promise<Results[]> {
  const collected = workloads.map((workload) => {
    return { workload, series: new Map<string, Series>() };
  });
  for (let round = 1; round <= rounds; round += 1) {
    for (const { workload, series } of collected) {
      note(`round ${round} of ${rounds}: ${workload.name}`);
      const trial = trialOf(workload, { round, seconds, sizes });
      for (const figure of await workload.measure(trial)) add(series, figure);
    }
  }
  return collected.map(({ workload, series }) => ({ workload, series: [...series.values()] }));
}

function trialOf(
  workload: Workload,
  { round, seconds, sizes }: { round: number; seconds: number; sizes: ReadonlyMap<string, number> },
): Trial {
  const own = Object.entries(workload.counts ?? {});
  return {
    seconds,
    counts: Object.fromEntries(own.map(([name, usual]) => [name, sizes.get(name) ?? usual])),
    note,
    async beside(name, measured, ceiling) {
      // The first of two measurements may have a colder machine, so they take turns.
      const order = round % 2 === 1 ? [measured, ceiling] : [ceiling, measured];
      const found = new Map<() => Promise<Values>, Values>();
      for (const one of order) found.set(one, await one());
      return figures(name, found.get(measured) ?? {}, found.get(ceiling));
    },
  };
}

function add(series: Map<string, Series>, { name, value, ceiling, most }: Figure): void {
  const known = series.get(name) ?? { name, values: [], ceilings: [], most };
  series.set(name, known);
  known.values.push(value);
  if (ceiling !== undefined) known.ceilings.push(ceiling);
}

/** The names of all workloads' sizes. Several workloads may have a size of the same name. */
function sizesOf(workloads: readonly Workload[]): readonly string[] {
  return [...new Set(workloads.flatMap(({ counts = {} }) => Object.keys(counts)))];
}

function chosenOf({ workloads, usual }: Suite, names: readonly string[]): readonly Workload[] {
  if (names.includes("all")) return workloads;
  return (names.length === 0 ? usual : names).map((name) => {
    const found = workloads.find((workload) => workload.name === name);
    if (found !== undefined) return found;
    throw new Problem(`There is no workload "${name}"; --help lists the workloads.`, 2);
  });
}

function flagName(size: string): string {
  return flagOf(size).slice("--".length);
}

function numberOf(flag: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= 0) return value;
  throw new Problem(`--${flag}: "${text}" is no number of at least 0.`, 2);
}

function positive(flag: string, text: string): number {
  const value = numberOf(flag, text);
  if (value > 0) return value;
  throw new Problem(`--${flag} must be above 0.`, 2);
}

function helpOf({ command, workloads, usual: names }: Suite): string {
  const width = Math.max(...workloads.map(({ name }) => name.length));
  const list = workloads.flatMap(({ name, description, counts = {} }) => {
    const sizes = Object.entries(counts).map(([size, value]) => `${flagOf(size)} ${value}`);
    const indent = " ".repeat(width + 4);
    const line = `  ${name.padEnd(width)}  ${description}`;
    return sizes.length === 0 ? [line] : [line, `${indent}sizes: ${sizes.join(" ")}`];
  });
  return `Usage: ${command} [WORKLOAD…] [--seconds N] [--rounds N] [--json] [--against FILE]

Measures workloads and prints the median, the least and the most of all rounds. A figure's ceiling
is measured in the same round; the ratio is the figure's median divided by the ceiling's median.

Workloads (without a name: ${names.join(", ")}; "all": all of them):
${list.join("\n")}

Flags:
  --seconds N     how long each measurement lasts, after a warm-up of a quarter (${usual.seconds})
  --rounds N      how often each workload is measured (${usual.rounds})
  --json          prints JSON instead of the table
  --against FILE  compares with the JSON of an earlier run: ratios to the ceiling, or medians where
                  a figure has no ceiling
  --SIZE N        changes a size of the workloads that have it`;
}

function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
