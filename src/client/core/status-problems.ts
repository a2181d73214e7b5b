import { isNearlyFull } from "../../protocol/disk-space.ts";
import { durations } from "../../protocol/limits.ts";
import type { DiskSpace, Listed, Role } from "../../protocol/reference-messages.ts";
import type { MemberStatus } from "../../protocol/replies.ts";
import { newestOf } from "../../protocol/version.ts";
import { quorumOf, type View } from "../../protocol/view.ts";

/** A fault of the cluster, which a person must correct. */
export type StatusProblem =
  | { readonly kind: "noServer" | "noCoordinator" | "noBroker" | "noProxy" }
  | { readonly kind: "noReference" | "foreignReference" }
  | {
      readonly kind: "noQuorum";
      readonly live: number;
      readonly quorum: number;
      readonly of: number;
    }
  /** `address` is null if nobody has reported it. */
  | { readonly kind: "memberDown"; readonly name: string; readonly address: string | null }
  /** `of` is the number of endpoints in the asker's settings. */
  | { readonly kind: "brokersMissing" | "proxiesMissing"; readonly up: number; readonly of: number }
  /** The names are those of the brokers and proxies to which strangers may connect as servers. */
  | { readonly kind: "guestServers"; readonly names: readonly string[] }
  | { readonly kind: "diskNearlyFull"; readonly name: string; readonly freeBytes: number }
  /** The servers have applied the same decisions with different results. */
  | { readonly kind: "decisionsDiffer"; readonly names: readonly string[] }
  /** The server applies no more decisions, because it does not know the operation. */
  | { readonly kind: "unknownOperation"; readonly name: string; readonly operation: string }
  /** `ms` is the distance between the server's machine clock and the cluster's time. */
  | { readonly kind: "clockOff"; readonly name: string; readonly ms: number };

/** A condition that is no fault of the cluster, but that an operator should know. */
export type StatusWarning =
  | { readonly kind: "disbelievedClocks"; readonly name: string; readonly count: number }
  /** The server ignores accounts that a server of an older version has written. */
  | { readonly kind: "formerAccounts"; readonly name: string }
  /** The member is up, and does not take requests yet or any more. */
  | { readonly kind: "memberNotReady"; readonly name: string; readonly phase: string }
  /** `version` is null for a process that is too old to report one. */
  | {
      readonly kind: "olderVersion";
      readonly name: string;
      readonly version: string | null;
      readonly newest: string;
    }
  /**
   * All processes have the same secrets, given by their fingerprints: they use the first one, and
   * also accept the others (O55).
   */
  | { readonly kind: "severalSecrets"; readonly secrets: readonly string[] }
  | { readonly kind: "secretsDiffer"; readonly groups: readonly SecretGroup[] };

/** The processes that have the same secrets, in the same order. */
export interface SecretGroup {
  readonly secrets: readonly string[];
  readonly names: readonly string[];
}

/** The fields of a row of `status` that show problems. */
interface Row {
  readonly name: string;
  readonly address: string;
  readonly member: boolean | null;
  readonly live: boolean;
  readonly phase: string | null;
  readonly offsetMs: number | null;
  readonly disbelievedClocks: number | null;
  readonly disk: DiskSpace | null;
}

/** How many brokers and proxies the asker's settings name. */
export interface Configured {
  readonly brokers: number;
  readonly proxies: number;
}

export interface Seen {
  readonly hasServer: boolean;
  readonly coordinator: string | null;
  readonly reference: "ours" | "foreign" | "silent";
  readonly view: View;
  /** Null if neither a server nor the reference answered. */
  readonly liveMembers: number | null;
  readonly rows: readonly Row[];
  /** The listed processes that have the cluster's secret. */
  readonly known: readonly Listed[];
  readonly configured: Configured;
  /** What the answering server knows of the decisions of each server. */
  readonly decided?: readonly Decided[];
  /** The answering server, if it ignores accounts of an older version. */
  readonly former?: string | undefined;
}

type Decided = Pick<MemberStatus, "name" | "live" | "slot" | "digest" | "unknownKind">;

/** Returns the cluster's problems. One fault is not reported twice in other words. */
export function problemsOf(seen: Seen): StatusProblem[] {
  return [
    ...processProblems(seen),
    ...memberProblems(seen),
    ...guestServers(seen),
    ...machineProblems(seen),
    ...decisionProblems(seen),
  ];
}

function decisionProblems({ decided = [] }: Seen): StatusProblem[] {
  const live = decided.filter((one) => one.live);
  const isOdd = ({ slot, digest }: Decided) =>
    slot !== null && live.some((other) => other.slot === slot && other.digest !== digest);
  const names = live.filter(isOdd).map(({ name }) => name);
  const unknown = live.flatMap(({ name, unknownKind: operation }): StatusProblem[] => {
    return operation === null ? [] : [{ kind: "unknownOperation", name, operation }];
  });
  return names.length === 0 ? unknown : [{ kind: "decisionsDiffer", names }, ...unknown];
}

function memberProblems({ hasServer, coordinator, view, liveMembers, rows }: Seen) {
  const problems: StatusProblem[] = [];
  const quorum = quorumOf(view);
  const hasQuorum = liveMembers !== null && liveMembers >= quorum;
  if (liveMembers !== null && !hasQuorum) {
    problems.push({ kind: "noQuorum", live: liveMembers, quorum, of: view.members.length });
  }
  for (const name of view.members) {
    // A guest can have a member's name, but its row is no member's.
    const row = rows.find((one) => one.name === name && one.member === true);
    if (row?.live === true) continue;
    problems.push({ kind: "memberDown", name, address: row?.address || null });
  }
  if (hasServer && hasQuorum && coordinator === null) problems.push({ kind: "noCoordinator" });
  return problems;
}

function processProblems({ hasServer, reference, known, configured }: Seen): StatusProblem[] {
  const noServer: StatusProblem[] = hasServer ? [] : [{ kind: "noServer" }];
  // Without the reference nobody knows which brokers and proxies are up.
  if (reference === "foreign") return [...noServer, { kind: "foreignReference" }];
  if (reference === "silent") return [...noServer, { kind: "noReference" }];
  const count = (role: Role) => known.filter((process) => process.role === role).length;
  const [brokers, proxies] = [count("broker"), count("proxy")];
  // Without a broker no server can answer, so `noServer` would only repeat `noBroker`. If a server
  // has answered, a broker is up, and a reference that has just started does not list it yet.
  const isBrokerGone = brokers === 0 && !hasServer;
  const problems: StatusProblem[] = isBrokerGone ? [{ kind: "noBroker" }] : noServer;
  if (brokers > 0 && brokers < configured.brokers) {
    problems.push({ kind: "brokersMissing", up: brokers, of: configured.brokers });
  }
  if (proxies === 0) problems.push({ kind: "noProxy" });
  else if (proxies < configured.proxies) {
    problems.push({ kind: "proxiesMissing", up: proxies, of: configured.proxies });
  }
  return problems;
}

function guestServers({ known }: Seen): StatusProblem[] {
  const names = known.filter((process) => process.guestServers).map(({ name }) => name);
  return names.length === 0 ? [] : [{ kind: "guestServers", names }];
}

function machineProblems({ rows }: Seen): StatusProblem[] {
  return rows.flatMap(({ name, live, disk, offsetMs }) => {
    const problems: StatusProblem[] = [];
    if (!live) return problems;
    if (disk !== null && isNearlyFull(disk)) {
      problems.push({ kind: "diskNearlyFull", name, freeBytes: disk.freeBytes });
    }
    const ms = Math.abs(offsetMs ?? 0);
    if (ms >= durations.clockOffMs) problems.push({ kind: "clockOff", name, ms });
    return problems;
  });
}

export function warningsOf({
  rows,
  known,
  former,
}: Pick<Seen, "rows" | "known" | "former">): StatusWarning[] {
  const clocks = rows.flatMap(({ name, disbelievedClocks: count }): StatusWarning[] =>
    count === null || count === 0 ? [] : [{ kind: "disbelievedClocks", name, count }],
  );
  const unready = rows.flatMap(({ name, member, live, phase }): StatusWarning[] => {
    const isUnready = member === true && live && phase !== null && phase !== "live";
    return isUnready ? [{ kind: "memberNotReady", name, phase }] : [];
  });
  const accounts: StatusWarning[] =
    former === undefined ? [] : [{ kind: "formerAccounts", name: former }];
  const secrets = [...accounts, ...secretWarnings(known)];
  const newest = newestOf(known.flatMap(({ version }) => version ?? []));
  if (newest === undefined) return [...unready, ...clocks, ...secrets];
  const older = known.filter(({ version }) => version !== newest);
  return [
    ...unready,
    ...clocks,
    ...secrets,
    ...older.map(({ name, version = null }): StatusWarning => {
      return { kind: "olderVersion", name, version, newest };
    }),
  ];
}

/** Processes of older versions report no secrets, and count for no group. */
function secretWarnings(known: Seen["known"]): StatusWarning[] {
  const groups = new Map<string, { secrets: readonly string[]; names: string[] }>();
  for (const { name, secrets } of known) {
    if (secrets === undefined) continue;
    const key = secrets.join(" ");
    const group = groups.get(key) ?? { secrets, names: [] };
    group.names.push(name);
    groups.set(key, group);
  }
  const found = [...groups.values()];
  if (found.length > 1) return [{ kind: "secretsDiffer", groups: found }];
  const [{ secrets } = { secrets: [] }] = found;
  return secrets.length > 1 ? [{ kind: "severalSecrets", secrets }] : [];
}
