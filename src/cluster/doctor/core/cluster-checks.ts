import { durations } from "../../../protocol/limits.ts";
import type { Listed } from "../../../protocol/reference-messages.ts";
import { compareVersions, newestOf } from "../../../protocol/version.ts";
import { type Finding, found } from "./finding.ts";

/** An endpoint to which processes of this host connect. */
export interface Reached {
  readonly flag: string;
  readonly endpoint: string;
  readonly state: "greeting" | "foreign" | "refused" | "silent";
  /** Whether the endpoint is still free, and a process of this host will bind it. */
  readonly isOwn: boolean;
}

type Auth = "open" | "required";

export interface Cluster {
  readonly reached: readonly Reached[];
  /** Why the reference or a broker refuses the connection; undefined if none does. */
  readonly refusal: "keyWanted" | "keyUnwanted" | "otherKey" | undefined;
  /** The reference's list; undefined without an answer. */
  readonly listed: readonly Listed[] | undefined;
  /** Whether the reference accepts this host's secret; undefined if that could not be asked. */
  readonly acceptsSecret: boolean | undefined;
  /** The servers' `--auth`; undefined if no server answered. */
  readonly auth: Auth | undefined;
  readonly clock: ClockSeen | undefined;
}

/** A comparison of this machine's clock with another clock. */
export interface ClockSeen {
  /** The endpoint of the process that told the time. */
  readonly endpoint: string;
  /** The other clock minus this one; wrong by at most `errorMs`. */
  readonly offsetMs: number;
  readonly errorMs: number;
}

/** The settings and the version of this host. */
export interface Own {
  readonly version: string;
  /** The `--auth` of this host's server; undefined if the host has none. */
  readonly auth: Auth | undefined;
}

export function judgeCluster(cluster: Cluster, own: Own): Finding[] {
  return [
    ...judgeReach(cluster.reached),
    ...judgeSettings(cluster, own),
    ...judgeVersion(cluster, own.version),
    ...judgeClock(cluster.clock),
  ];
}

/** Before the first start nothing answers, which is no problem. */
function judgeReach(reached: readonly Reached[]): Finding[] {
  const isQuiet = ({ state }: Reached) => state === "refused" || state === "silent";
  if (reached.length > 0 && reached.every(isQuiet)) {
    const endpoints = [...new Set(reached.map(({ endpoint }) => endpoint))].join(", ");
    return [found("nothingAnswers", { endpoints })];
  }
  const others = reached.filter((one) => !(one.isOwn && isQuiet(one)));
  return others.map(({ flag, endpoint, state }) =>
    found(state === "greeting" ? "reached" : state, { flag, endpoint }),
  );
}

function judgeSettings(cluster: Cluster, { auth }: Own): Finding[] {
  const { refusal, listed, acceptsSecret, reached } = cluster;
  if (refusal === "keyWanted") return [found("curveMissing", {})];
  if (refusal === "keyUnwanted") return [found("curveUnwanted", {})];
  if (refusal === "otherKey") return [found("otherKey", {})];
  const findings: Finding[] = [];
  if (acceptsSecret === false) findings.push(found("otherSecret", {}));
  const there = cluster.auth;
  if (auth !== undefined && there !== undefined && there !== auth) {
    findings.push(found("otherAuth", { here: auth, there }));
  }
  const brokers = reached.filter(({ flag, state }) => flag === "--broker" && state === "greeting");
  if (there === undefined && brokers.length > 0) {
    const endpoints = brokers.map(({ endpoint }) => endpoint).join(", ");
    findings.push(found("noServer", { endpoints }));
  }
  if (findings.length > 0 || listed === undefined) return findings;
  const flags = ["--curve", ...(acceptsSecret ? ["--secret-file"] : [])];
  if (auth !== undefined && there !== undefined) flags.push("--auth");
  return [found("sameSettings", { flags: flags.join(", ") })];
}

function judgeVersion({ listed = [] }: Cluster, version: string): Finding[] {
  // A guest's version proves nothing about the cluster.
  const members = listed.filter(({ isKnown }) => isKnown);
  const newest = newestOf(members.flatMap((member) => member.version ?? []));
  if (newest === undefined) return [];
  const order = compareVersions(version, newest);
  if (order === 0) return [found("version", { version })];
  return [found(order < 0 ? "versionOlder" : "versionNewer", { version, newest })];
}

function judgeClock(clock: ClockSeen | undefined): Finding[] {
  if (clock === undefined) return [];
  const { endpoint, errorMs } = clock;
  const offsetMs = Math.round(clock.offsetMs);
  const isOff = Math.abs(clock.offsetMs) - errorMs >= durations.clockOffMs;
  return [found(isOff ? "clockOff" : "clock", { endpoint, offsetMs })];
}
