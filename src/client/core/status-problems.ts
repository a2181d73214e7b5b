import { isNearlyFull } from "../../protocol/disk-space.ts";
import { durations } from "../../protocol/limits.ts";
import type { DecisionFaults, DiskSpace, Listed, Role } from "../../protocol/reference-messages.ts";
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
  /** `ms` is the distance between the server's machine clock and the cluster's time. */
  | { readonly kind: "clockOff"; readonly name: string; readonly ms: number }
  /** The servers in `names` have noticed that what was decided up to `slot` differs (D5). */
  | { readonly kind: "decisionsDiffer"; readonly slot: number; readonly names: readonly string[] }
  /** The server applies no more decisions, because it does not know the operation (D5). */
  | { readonly kind: "unknownOperation"; readonly name: string; readonly operation: string };

/** A condition that is no fault of the cluster, but that an operator should know. */
export type StatusWarning =
  | { readonly kind: "disbelievedClocks"; readonly name: string; readonly count: number }
  /** A server of version 0.1.0 has written accounts, which have no effect (O60). */
  | { readonly kind: "formerAccounts"; readonly names: readonly string[] }
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
  readonly decisionFaults: DecisionFaults | null;
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
}

/** Returns the cluster's problems. One fault is not reported twice in other words. */
export function problemsOf(seen: Seen): StatusProblem[] {
  return [
    ...processProblems(seen),
    ...memberProblems(seen),
    ...guestServers(seen),
    ...decisionProblems(seen),
    ...machineProblems(seen),
  ];
}

function memberProblems({ hasServer, coordinator, view, liveMembers, rows }: Seen) {
  const problems: StatusProblem[] = [];
  const quorum = quorumOf(view);
  const hasQuorum = liveMembers !== null && liveMembers >= quorum;
  // The reference knows no members if the servers have an engine, or have just begun.
  const isKnown = hasServer || view.members.length > 0;
  if (isKnown && liveMembers !== null && !hasQuorum) {
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

function decisionProblems({ rows }: Seen): StatusProblem[] {
  const differing = rows.flatMap(({ name, decisionFaults }) => {
    const slot = decisionFaults?.differs;
    return slot === undefined ? [] : [{ name, slot }];
  });
  const slot = Math.min(...differing.map((one) => one.slot));
  const names = differing.map(({ name }) => name);
  const unknown = rows.flatMap(({ name, live, decisionFaults }): StatusProblem[] => {
    const operation = decisionFaults?.unknownKind;
    return !live || operation === undefined ? [] : [{ kind: "unknownOperation", name, operation }];
  });
  return [
    ...(names.length === 0 ? [] : [{ kind: "decisionsDiffer", slot, names } as const]),
    ...unknown,
  ];
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

export function warningsOf({ rows, known }: Pick<Seen, "rows" | "known">): StatusWarning[] {
  const clocks = rows.flatMap(({ name, disbelievedClocks: count }): StatusWarning[] =>
    count === null || count === 0 ? [] : [{ kind: "disbelievedClocks", name, count }],
  );
  const unready = rows.flatMap(({ name, member, live, phase }): StatusWarning[] => {
    const isUnready = member === true && live && phase !== null && phase !== "live";
    return isUnready ? [{ kind: "memberNotReady", name, phase }] : [];
  });
  const formers = rows.filter(({ decisionFaults }) => decisionFaults?.hasFormer === true);
  const names = formers.map(({ name }) => name);
  const accounts: StatusWarning[] = names.length === 0 ? [] : [{ kind: "formerAccounts", names }];
  const secrets = secretWarnings(known);
  const newest = newestOf(known.flatMap(({ version }) => version ?? []));
  if (newest === undefined) return [...unready, ...accounts, ...clocks, ...secrets];
  const older = known.filter(({ version }) => version !== newest);
  return [
    ...unready,
    ...accounts,
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
