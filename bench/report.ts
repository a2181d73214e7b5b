import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, release, totalmem, type } from "node:os";
import { Problem } from "../src/platform/problem.ts";
import { median } from "./measure.ts";
import type { Results, Series } from "./runner.ts";

/** One line of the table. */
interface Row {
  readonly name: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** The ceiling's median, and this figure's median divided by it. */
  readonly ceiling?: number;
  readonly ratio?: number;
  /** The values of all rounds. */
  readonly values: readonly number[];
}

/** The figures of one run, as `--json` prints them. */
export interface Report {
  readonly date: string;
  readonly commit: string;
  readonly machine: string;
  readonly seconds: number;
  readonly rounds: number;
  readonly workloads: readonly {
    readonly name: string;
    readonly description: string;
    readonly rows: readonly Row[];
  }[];
  /** A sentence for each figure that was above the most that is right. */
  readonly wrong: readonly string[];
  /** A sentence for each workload that could not run. */
  readonly leftOut: readonly string[];
}

/** What a run was asked for. */
interface Asked {
  readonly seconds: number;
  readonly rounds: number;
  readonly leftOut: readonly string[];
}

export function reportOf(results: readonly Results[], asked: Asked): Report {
  const { model = "unknown processor" } = cpus()[0] ?? {};
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: commit(),
    machine: `${cpus().length} × ${model.trim()}, ${memory}, ${type()} ${release()}, Node ${process.version}`,
    seconds: asked.seconds,
    rounds: asked.rounds,
    workloads: results.map(({ workload: { name, description }, series }) => {
      return { name, description, rows: series.map(rowOf) };
    }),
    wrong: results.flatMap(({ workload, series }) => {
      return series.filter(isWrong).map(({ name, most }) => {
        return `${workload.name}: "${name}" was above ${most}`;
      });
    }),
    leftOut: asked.leftOut,
  };
}

function isWrong({ values, most }: Series): boolean {
  return most !== undefined && values.some((value) => !(value <= most));
}

function rowOf({ name, values, ceilings }: Series): Row {
  const middle = median(values);
  const row = { name, median: middle, min: Math.min(...values), max: Math.max(...values), values };
  if (ceilings.length === 0) return row;
  const ceiling = median(ceilings);
  return { ...row, ceiling, ratio: middle / ceiling };
}

/** The commit of the sources, with `+` if they were changed since; empty outside a repository. */
function commit(): string {
  try {
    const git = (...args: string[]) => execFileSync("git", args, { encoding: "utf8" }).trim();
    const changes = git("status", "--porcelain", "--untracked-files=no");
    return `${git("rev-parse", "--short", "HEAD")}${changes === "" ? "" : "+"}`;
  } catch {
    return "";
  }
}

/** @throws Problem if the file does not have the JSON of a run */
export function readReport(path: string): Report {
  try {
    const report = JSON.parse(readFileSync(path, "utf8")) as Partial<Report>;
    if (Array.isArray(report.workloads)) return report as Report;
  } catch {
    // The next line says what is wrong, whether the file is missing or has other content.
  }
  throw new Problem(`--against: ${path} has no JSON of an earlier run.`, 2);
}

export function tableOf(report: Report, earlier?: Report): string {
  const { machine, date, seconds, rounds } = report;
  const of = report.commit === "" ? "" : `, commit ${report.commit}`;
  const head = ["", "median", "min", "max", "ceiling", "ratio"];
  if (earlier !== undefined) head.push("earlier", "change");
  const sections = report.workloads.map(({ name, description, rows }) => {
    const known = earlier?.workloads.find((workload) => workload.name === name)?.rows;
    const lines = rows.map((row) => {
      const { median: middle, min, max, ceiling, ratio } = row;
      const cells = [row.name, ...[middle, min, max, ceiling, ratio].map(written)];
      return earlier === undefined ? cells : [...cells, ...comparedTo(row, known)];
    });
    return `${name}: ${description}\n${aligned([head, ...lines])}`;
  });
  const length = `rounds: ${rounds}, seconds: ${seconds}`;
  return [
    `${machine}\n${date}${of}; ${length}`,
    ...sections,
    ...report.wrong,
    ...report.leftOut,
  ].join("\n\n");
}

/** Returns the figure in the earlier run, and the present figure divided by it. */
function comparedTo(row: Row, earlier: readonly Row[] | undefined): [string, string] {
  const then = earlier?.find(({ name }) => name === row.name);
  const comparable = (one: Row) => one.ratio ?? one.median;
  if (then === undefined) return [written(undefined), written(undefined)];
  return [written(comparable(then)), written(comparable(row) / comparable(then))];
}

function written(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return "–";
  const digits = value >= 100 || Number.isInteger(value) ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString("en", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

function aligned(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, at) => {
    return Math.max(...lines.map((line) => line[at]?.length ?? 0));
  });
  const padded = lines.map((line) => {
    const cells = line.map((cell, at) => {
      return at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0);
    });
    return `  ${cells.join("  ")}`;
  });
  return padded.join("\n");
}
