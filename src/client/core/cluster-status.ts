import type { Epoch } from "../../protocol/epoch.ts";
import type { Fields } from "../../protocol/fields.ts";
import { harmless } from "../../protocol/harmless.ts";
import { isOurList, parseList } from "../../protocol/parse-reference.ts";
import { numberOf, viewOf } from "../../protocol/parse-status.ts";
import type { Listed, RefusedMessages } from "../../protocol/reference-messages.ts";
import type { MemberStatus, Reply } from "../../protocol/replies.ts";
import { quorumOf, type View } from "../../protocol/view.ts";
import { table } from "./table.ts";

/** A row of `tertulia status`; what a role has not, or nobody told, is null. */
export interface ProcessStatus {
  readonly role: string;
  readonly name: string;
  readonly rank: number | null;
  readonly address: string;
  readonly member: boolean | null;
  readonly live: boolean;
  readonly phase: string | null;
  /** Events that it lacks of what anybody has. */
  readonly lag: number | null;
  readonly clock: number | null;
  readonly offsetMs: number | null;
  /** What the last round of the clocks corrected, and how many rounds have. */
  readonly lastCorrectionMs: number | null;
  readonly clockRounds: number | null;
  /** Requests served in the last second. */
  readonly rate: number | null;
  /** Messages that it has dropped since it started, by reason. */
  readonly refused: Readonly<RefusedMessages> | null;
  /** Clocks too far ahead, which it did not adopt (W4). */
  readonly disbelievedClocks: number | null;
}

export type StatusProblem =
  | "noServer"
  | "noQuorum"
  | "noBroker"
  | "noProxy"
  | "noReference"
  | "foreignReference";

/** What is no fault, but whoever runs the cluster should know. */
export type StatusWarning = "guestServers";

export interface ClusterStatus {
  readonly healthy: boolean;
  readonly problems: readonly StatusProblem[];
  readonly warnings: readonly StatusWarning[];
  readonly coordinator: string | null;
  readonly epoch: Epoch | null;
  readonly view: View;
  /** Members that are up and, if a server told, serve; null if nobody told. */
  readonly liveMembers: number | null;
  readonly quorum: number;
  readonly processes: readonly ProcessStatus[];
}

export interface StatusSources {
  /** What a server told; undefined if none answered. */
  readonly server: Reply<"status"> | undefined;
  /** What the reference told; undefined if it did not answer. */
  readonly reference: { readonly address: string; readonly reply: Fields } | undefined;
}

/** The cluster as a server and the reference see it, and what is wrong with it. */
export function clusterStatus({ server, reference: asked }: StatusSources): ClusterStatus {
  const isForeign = asked !== undefined && !isOurList(asked.reply);
  const reference = isForeign ? undefined : asked;
  const view = server?.view ?? viewOf(reference?.reply.view);
  // Without the reference a server's list is what it was when the reference was last heard.
  const listed = reference ? parseList(reference.reply.list) : (server?.processes ?? []);
  const servers = serverRows(server?.members ?? [], listed, view).map((row) =>
    withCounts(row, listed, server),
  );
  const others = listed.filter(({ role }) => role !== "server").map(otherRow);
  // What a guest says of itself is shown, and judges nothing.
  const known = listed.filter(({ isKnown }) => isKnown);
  const isListed = known.some(({ role }) => role === "reference");
  const processes = [...(isListed ? [] : referenceRows(reference)), ...others, ...servers];
  // Servers without a quorum take no requests: then only the reference tells who is up.
  const serving = servers.filter(
    ({ member, live, phase }) =>
      member === true && live && (server === undefined || phase === "live"),
  );
  const liveMembers = (server ?? reference) === undefined ? null : serving.length;
  const problems = problemsOf({ server, reference, view, liveMembers, listed: known });
  if (isForeign) problems.splice(problems.indexOf("noReference"), 1, "foreignReference");
  return {
    healthy: problems.length === 0,
    problems,
    warnings: known.some(({ guestServers }) => guestServers) ? ["guestServers"] : [],
    coordinator: server?.coordinator ?? null,
    epoch: server?.epoch ?? null,
    view,
    liveMembers,
    quorum: quorumOf(view),
    processes: processes.sort(byRole),
  };
}

function problemsOf({
  server,
  reference,
  view,
  liveMembers,
  listed,
}: StatusSources & {
  view: View;
  liveMembers: number | null;
  listed: readonly Listed[];
}): StatusProblem[] {
  const problems: StatusProblem[] = [];
  if (server === undefined) problems.push("noServer");
  if (liveMembers !== null && liveMembers < quorumOf(view)) problems.push("noQuorum");
  if (reference === undefined) return [...problems, "noReference"];
  if (!listed.some(({ role }) => role === "broker")) problems.push("noBroker");
  if (!listed.some(({ role }) => role === "proxy")) problems.push("noProxy");
  return problems;
}

function serverRows(
  members: readonly MemberStatus[],
  listed: readonly Listed[],
  view: View,
): ProcessStatus[] {
  const isMember = (name: string) => view.members.some((member) => member === name);
  const rows = members.map((member): ProcessStatus => {
    const { name, live, phase, rate } = member;
    const { rank, address, lag, clock, offsetMs, lastCorrectionMs, clockRounds } = member;
    return {
      role: "server",
      name,
      rank,
      address: address ?? "",
      member: isMember(name),
      live,
      phase: live ? phase : null,
      lag,
      clock,
      offsetMs,
      lastCorrectionMs,
      clockRounds,
      rate: live ? rate : null,
      refused: null,
      disbelievedClocks: null,
    };
  });
  const known = new Set(rows.map(({ name }) => name));
  for (const process of listed) {
    if (process.role !== "server" || known.has(process.name)) continue;
    // A guest may call itself what it likes.
    const member = isMember(process.name) && process.isKnown;
    rows.push({ ...otherRow(process), member });
    known.add(process.name);
  }
  const gone = view.members.filter((name) => !known.has(name));
  return [...rows, ...gone.map((name) => ({ ...nobody, role: "server", name, member: true }))];
}

const nobody: Omit<ProcessStatus, "role" | "name"> = {
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
};

function otherRow(listed: Listed): ProcessStatus {
  const { role, name, rank, address, clock } = listed;
  const row = { ...nobody, role, name, address, live: true, clock, ...countsOf(listed) };
  return { ...row, rank: rank === 0 ? null : rank };
}

function countsOf({ refused, disbelievedClocks }: Pick<Listed, "refused" | "disbelievedClocks">) {
  return { refused: refused ?? null, disbelievedClocks: disbelievedClocks ?? null };
}

/** Adds what a server has refused: its own numbers if it was the one asked, else the list's. */
function withCounts(
  row: ProcessStatus,
  listed: readonly Listed[],
  server: StatusSources["server"],
): ProcessStatus {
  if (server?.server === row.name) return { ...row, ...countsOf(server) };
  const known = listed.find(({ name, isKnown }) => isKnown && name === row.name);
  return known === undefined ? row : { ...row, ...countsOf(known) };
}

function referenceRows(reference: StatusSources["reference"]): ProcessStatus[] {
  if (reference === undefined) return [];
  const { address, reply } = reference;
  const clock = numberOf(reply.clock);
  return [{ ...nobody, role: "reference", name: "reference", address, live: true, clock }];
}

const roleOrder = ["reference", "broker", "proxy", "server", "bot"];

function byRole(a: ProcessStatus, b: ProcessStatus): number {
  const order = roleOrder.indexOf(a.role) - roleOrder.indexOf(b.role);
  if (order !== 0) return order;
  const rank = (a.rank ?? Number.MAX_SAFE_INTEGER) - (b.rank ?? Number.MAX_SAFE_INTEGER);
  if (rank !== 0) return rank;
  return a.name < b.name ? -1 : 1;
}

export const statusColumns = [
  "role",
  "name",
  "rank",
  "address",
  "member",
  "phase",
  "lag",
  "clock",
  "offset",
  "correction",
  "rounds",
  "rate",
] as const;
const leftColumns: readonly string[] = ["role", "name", "address", "member", "phase"];

export interface StatusWords {
  readonly headings: Readonly<Record<(typeof statusColumns)[number], string>>;
  readonly yes: string;
  readonly no: string;
  readonly down: string;
}

export function statusTable(status: ClusterStatus, words: StatusWords): string[] {
  const columns = statusColumns.map((column) => {
    return { heading: words.headings[column], right: !leftColumns.includes(column) };
  });
  const cell = (value: string | number | null) =>
    value === null || value === "" ? "-" : harmless(String(value));
  const rows = status.processes.map((process) => [
    process.role,
    cell(process.name),
    cell(process.rank),
    cell(process.address.replace(/^tcp:\/\//, "")),
    process.member === null ? "-" : process.member ? words.yes : words.no,
    process.live ? cell(process.phase) : words.down,
    cell(process.lag),
    cell(process.clock),
    cell(process.offsetMs),
    cell(process.lastCorrectionMs),
    cell(process.clockRounds),
    cell(process.rate),
  ]);
  return table(columns, rows);
}
