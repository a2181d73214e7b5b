import type { Epoch } from "../../protocol/epoch.ts";
import type { Fields } from "../../protocol/fields.ts";
import { harmless } from "../../protocol/harmless.ts";
import { isOurList, parseList } from "../../protocol/parse-list.ts";
import { numberOf, viewOf } from "../../protocol/parse-status.ts";
import type {
  DecisionFaults,
  DiskSpace,
  Listed,
  RefusedMessages,
  SelfReport,
} from "../../protocol/reference-messages.ts";
import type { MemberStatus, Reply } from "../../protocol/replies.ts";
import { quorumOf, type View } from "../../protocol/view.ts";
import type { Text } from "../../texts/texts.ts";
import {
  type Configured,
  problemsOf,
  type StatusProblem,
  type StatusWarning,
  warningsOf,
} from "./status-problems.ts";
import { table } from "./table.ts";

/**
 * A row of `tertulia status`. A field is null if the role lacks it, or if no process reported it.
 */
export interface ProcessStatus
  extends Omit<MemberStatus, "address" | "member" | "durable" | "silentMs"> {
  readonly role: string;
  readonly address: string;
  readonly member: boolean | null;
  /** Messages that the process has dropped since its start, by reason. */
  readonly refused: Readonly<RefusedMessages> | null;
  /** Number of received clocks that were too far ahead and therefore not adopted (W4). */
  readonly disbelievedClocks: number | null;
  readonly version: string | null;
  /** The fingerprints of the process's secrets; the one in use comes first (O55). */
  readonly secrets: readonly string[] | null;
  /** Space on the disk of a server's data folder. */
  readonly disk: DiskSpace | null;
  /** What is wrong with the decisions of a server (D5). */
  readonly decisionFaults: DecisionFaults | null;
}

export interface ClusterStatus {
  readonly healthy: boolean;
  readonly problems: readonly StatusProblem[];
  readonly warnings: readonly StatusWarning[];
  /** The server that answered; null if none did. */
  readonly server: string | null;
  readonly coordinator: string | null;
  readonly epoch: Epoch | null;
  readonly view: View;
  /**
   * Number of members that are up and, if a server answered, in the phase `live`. Null if nothing
   * answered.
   */
  readonly liveMembers: number | null;
  readonly quorum: number;
  readonly processes: readonly ProcessStatus[];
}

export interface StatusSources {
  /** A server's answer; undefined if no server answered. */
  readonly server: Reply<"status"> | undefined;
  /** The reference's answer; undefined if it did not answer. */
  readonly reference: { readonly address: string; readonly reply: Fields } | undefined;
  readonly configured: Configured;
}

/**
 * Combines the answers of a server and of the reference into the state of the cluster and its
 * problems.
 */
export function clusterStatus(sources: StatusSources): ClusterStatus {
  const { server, reference: asked, configured } = sources;
  const isForeign = asked !== undefined && !isOurList(asked.reply);
  const reference = isForeign ? undefined : asked;
  const view = server?.view ?? viewOf(reference?.reply.view);
  // If the reference did not answer, use the list that the server last got from the reference; it
  // may be old.
  const listed = reference ? parseList(reference.reply.list) : (server?.processes ?? []);
  const servers = serverRows(server?.members ?? [], listed, view).map((row) =>
    withSelfReport(row, listed, server),
  );
  const others = listed.filter(({ role }) => role !== "server").map(otherRow);
  // Entries of guests are shown, but do not affect the cluster's problems and warnings.
  const known = listed.filter(({ isKnown }) => isKnown);
  const isListed = known.some(({ role }) => role === "reference");
  const rows = [...(isListed ? [] : referenceRows(reference)), ...others, ...servers];
  const processes = rows.sort(byRole);
  // If no server answered, no phase is known, so every member that the reference lists counts as
  // live.
  const serving = servers.filter(
    ({ member, live, phase }) =>
      member === true && live && (server === undefined || phase === "live"),
  );
  const liveMembers = (server ?? reference) === undefined ? null : serving.length;
  const coordinator = server?.coordinator ?? null;
  const problems = problemsOf({
    hasServer: server !== undefined,
    coordinator,
    reference: isForeign ? "foreign" : reference === undefined ? "silent" : "ours",
    view,
    liveMembers,
    rows: processes,
    known,
    configured,
  });
  return {
    healthy: problems.length === 0,
    problems,
    warnings: warningsOf({ rows: processes, known }),
    server: server?.server ?? null,
    coordinator,
    epoch: server?.epoch ?? null,
    view,
    liveMembers,
    quorum: quorumOf(view),
    processes,
  };
}

function serverRows(
  members: readonly MemberStatus[],
  listed: readonly Listed[],
  view: View,
): ProcessStatus[] {
  const isMember = (name: string) => view.members.some((member) => member === name);
  const rows = members.map(({ durable: _, silentMs: __, ...told }): ProcessStatus => {
    const { name, address, live, phase, rate } = told;
    return {
      ...unknown,
      ...told,
      role: "server",
      address: address ?? "",
      member: isMember(name),
      phase: live ? phase : null,
      rate: live ? rate : null,
    };
  });
  const known = new Set(rows.map(({ name }) => name));
  for (const process of listed) {
    if (process.role !== "server" || known.has(process.name)) continue;
    // A guest can use a member's name, so only a process with the cluster's secret counts as the
    // member.
    const member = isMember(process.name) && process.isKnown;
    rows.push({ ...otherRow(process), member });
    known.add(process.name);
  }
  const gone = view.members.filter((name) => !known.has(name));
  return [...rows, ...gone.map((name) => ({ ...unknown, role: "server", name, member: true }))];
}

const unknown: ProcessStatus = {
  role: "",
  name: "",
  rank: null,
  address: "",
  member: null,
  live: false,
  phase: null,
  lag: null,
  clock: null,
  offsetMs: null,
  lastCorrectionMs: null,
  clockRounds: null,
  rate: null,
  refused: null,
  disbelievedClocks: null,
  version: null,
  secrets: null,
  disk: null,
  decisionFaults: null,
};

function otherRow(listed: Listed): ProcessStatus {
  const { role, name, rank, address, clock, version, isKnown } = listed;
  // Of a guest, only the version is shown, because everything else would count as a problem.
  const told = selfReportOf(isKnown ? listed : { version });
  const row = { ...unknown, role, name, address, live: true, clock, ...told };
  return { ...row, rank: rank === 0 ? null : rank };
}

function selfReportOf(told: SelfReport) {
  const { refused, disbelievedClocks, version, secrets, disk, decisionFaults } = told;
  return {
    refused: refused ?? null,
    disbelievedClocks: disbelievedClocks ?? null,
    version: version ?? null,
    secrets: secrets ?? null,
    disk: disk ?? null,
    decisionFaults: decisionFaults ?? null,
  };
}

/**
 * Adds what a server tells about itself. The server that answered has told it in its answer; what
 * other servers tell is in the list of processes.
 */
function withSelfReport(
  row: ProcessStatus,
  listed: readonly Listed[],
  server: StatusSources["server"],
): ProcessStatus {
  const isAsked = server?.server === row.name;
  const known = isAsked ? server : listed.find(({ name, isKnown }) => isKnown && name === row.name);
  return known === undefined ? row : { ...row, ...selfReportOf(known) };
}

function referenceRows(reference: StatusSources["reference"]): ProcessStatus[] {
  if (reference === undefined) return [];
  const { address, reply } = reference;
  const clock = numberOf(reply.clock);
  return [{ ...unknown, role: "reference", name: "reference", address, live: true, clock }];
}

const roleOrder = ["reference", "broker", "proxy", "server", "gateway", "game", "bot"];

function byRole(a: ProcessStatus, b: ProcessStatus): number {
  const order = roleOrder.indexOf(a.role) - roleOrder.indexOf(b.role);
  if (order !== 0) return order;
  const rank = (a.rank ?? Number.MAX_SAFE_INTEGER) - (b.rank ?? Number.MAX_SAFE_INTEGER);
  if (rank !== 0) return rank;
  return a.name < b.name ? -1 : 1;
}

/** The columns of the table: heading, field, and alignment. */
const columns = [
  ["role", "role", "left"],
  ["name", "name", "left"],
  ["rank", "rank", "right"],
  ["address", "address", "left"],
  ["version", "version", "left"],
  ["member", "member", "left"],
  ["phase", "phase", "left"],
  ["lag", "lag", "right"],
  ["clock", "clock", "right"],
  ["offset", "offsetMs", "right"],
  ["correction", "lastCorrectionMs", "right"],
  ["rounds", "clockRounds", "right"],
  ["rate", "rate", "right"],
] as const;

export function statusTable({ processes }: ClusterStatus, text: Text): string[] {
  const headings = columns.map(([column, _field, side]) => {
    return { heading: text(`status.${column}`), right: side === "right" };
  });
  const cell = (process: ProcessStatus, field: (typeof columns)[number][1]) => {
    if (field === "phase" && !process.live) return text("status.down");
    const value = process[field];
    if (typeof value === "boolean") return text(value ? "status.yes" : "status.no");
    if (value === null || value === "") return "-";
    return harmless(field === "address" ? process.address.replace(/^tcp:\/\//, "") : String(value));
  };
  const rows = processes.map((process) => columns.map(([, field]) => cell(process, field)));
  return table(headings, rows);
}
