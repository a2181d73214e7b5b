import { isNearlyFull } from "../../../protocol/disk-space.ts";
import { limits } from "../../../protocol/limits.ts";
import type { DiskSpace, Role } from "../../../protocol/reference-messages.ts";
import { compareVersions } from "../../../protocol/version.ts";
import { type Finding, found } from "./finding.ts";

const MiB = 1024 ** 2;

export interface Machine {
  readonly node: string;
  /** The lowest version of Node on which the program runs. */
  readonly leastNode: string;
  /** The most open files of a process; undefined if the system does not tell. */
  readonly openFiles: number | undefined;
  /** The machine's memory, or the container's limit if that is lower. */
  readonly memoryBytes: number;
}

/** A process needs a file for each connection that it accepts from one address. */
const leastOpenFiles = limits.addressConnections;
/** An idle server needs about 80 MiB; the rest is for its data and for full collections. */
const leastMemoryMiB = 512;

export function judgeMachine({ node, leastNode, openFiles, memoryBytes }: Machine): Finding[] {
  const isOld = compareVersions(node, leastNode) < 0;
  const memoryMiB = Math.floor(memoryBytes / MiB);
  const findings = [
    isOld ? found("nodeOld", { node, least: leastNode }) : found("node", { node }),
    memoryMiB < leastMemoryMiB
      ? found("memoryLittle", { memoryMiB, least: leastMemoryMiB })
      : found("memory", { memoryMiB }),
  ];
  if (openFiles === undefined) return findings;
  const files =
    openFiles < leastOpenFiles
      ? found("openFilesFew", { openFiles, least: leastOpenFiles })
      : found("openFiles", { openFiles });
  return [...findings, files];
}

/** A host name of the settings. */
export interface HostName {
  readonly name: string;
  /** The flags of the settings that have the name. */
  readonly flags: readonly string[];
  readonly isKnown: boolean;
}

export function judgeNames(names: readonly HostName[]): Finding[] {
  const unknown = names.filter(({ isKnown }) => !isKnown);
  if (unknown.length === 0) {
    const all = names.map(({ name }) => name).join(", ");
    return names.length === 0 ? [] : [found("names", { names: all })];
  }
  return unknown.map(({ name, flags }) => found("nameUnknown", { name, flags: flags.join(", ") }));
}

/** An endpoint that a process of a role binds. */
export interface Port {
  readonly role: Role;
  readonly endpoint: string;
  /** `ours` if a process of the role answers there, and `taken` if another program does. */
  readonly state: "free" | "ours" | "taken" | { readonly code: string };
  /** Why the process at the endpoint is not ready. */
  readonly unready?: string | undefined;
}

export function judgePorts(ports: readonly Port[]): Finding[] {
  return ports.map(({ role, endpoint, state, unready }) => {
    if (typeof state !== "string") return found("portUnusable", { role, endpoint, ...state });
    if (state === "free") return found("portFree", { role, endpoint });
    if (state === "taken") return found("portTaken", { role, endpoint });
    if (unready === undefined) return found("portOurs", { role, endpoint });
    return found("portUnready", { role, endpoint, reason: unready });
  });
}

export interface DataFolder {
  readonly path: string;
  readonly isMissing: boolean;
  /** Why the folder, or its nearest existing parent, can't be written. */
  readonly code: string | undefined;
  /** The user IDs of the folder's owner and of the user who runs the check. */
  readonly owner: number;
  readonly user: number;
  readonly fileSystem: FileSystem;
  readonly space: DiskSpace | undefined;
  /** How long each of some small writes took until it was on the disk, in milliseconds. */
  readonly syncsMs: readonly number[];
}

/** `type` is the name of a network's file system, such as `NFS`. */
export type FileSystem = "disk" | "memory" | { readonly type: string };

/**
 * A write waits for the disks of two servers in turn. So with 20 ms a person begins to notice that
 * the ✓ is late; with 200 ms one server commits about five batches a second.
 */
const slowSyncMs = 20;
const verySlowSyncMs = 200;

export function judgeData(folder: DataFolder): Finding[] {
  const { path, isMissing, code, owner, user, fileSystem, space } = folder;
  if (code !== undefined) return [found("dataUnusable", { path, code })];
  const findings = [isMissing ? found("dataToCreate", { path }) : found("data", { path })];
  if (!isMissing && user !== 0 && owner !== user) {
    findings.push(found("dataOwner", { path, owner, user }));
  }
  if (fileSystem === "memory") findings.push(found("dataInMemory", { path }));
  else if (fileSystem !== "disk") findings.push(found("dataOnNetwork", { path, ...fileSystem }));
  if (space !== undefined) {
    const freeMiB = Math.floor(space.freeBytes / MiB);
    findings.push(found(isNearlyFull(space) ? "spaceLow" : "space", { path, freeMiB }));
  }
  return [...findings, ...judgeSync(folder)];
}

function judgeSync({ path, syncsMs }: DataFolder): Finding[] {
  if (syncsMs.length === 0) return [];
  const sorted = [...syncsMs].sort((a, b) => a - b);
  const rounded = (ms = 0) => Math.round(ms * 10) / 10;
  const medianMs = rounded(sorted[Math.floor(sorted.length / 2)]);
  const slow = medianMs > slowSyncMs ? "syncSlow" : "sync";
  const kind = medianMs > verySlowSyncMs ? "syncVerySlow" : slow;
  return [found(kind, { path, medianMs, mostMs: rounded(sorted.at(-1)) })];
}
