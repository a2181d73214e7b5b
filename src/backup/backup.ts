import { once } from "node:events";
import { existsSync, mkdtempSync, statSync } from "node:fs";
import { open, rename } from "node:fs/promises";
import { constants, getPriority, setPriority, tmpdir } from "node:os";
import { dirname, join, resolve, sep } from "node:path";
import { now } from "../platform/clock.ts";
import { ownerOnly, syncFolder } from "../platform/folder.ts";
import type { Host } from "../platform/host.ts";
import { errorCode, Problem, whyUnwritable } from "../platform/problem.ts";
import type { Settings } from "../platform/settings.ts";
import { ownVersion } from "../platform/version.ts";
import { harmless, harmlessJson } from "../protocol/harmless.ts";
import { isoTime } from "../protocol/time.ts";
import { quorumOf, type View } from "../protocol/view.ts";
import type { ServerCore } from "../server/core/step.ts";
import { checkpointFiles, NoSpaceError, writeCheckpoint } from "../storage/checkpoint.ts";
import { measureFile } from "../storage/line-file.ts";
import type { Text } from "../texts/texts.ts";
import { pack } from "./backup-file.ts";
import { openClusterLink } from "./cluster-link.ts";
import { collect, NoMajorityError } from "./collect.ts";
import { readKeyFile } from "./key-file.ts";
import { format, type Manifest } from "./manifest.ts";
import { countsOf } from "./state.ts";
import { openWorkFolder } from "./work-folder.ts";

/** The call of the command `backup` or `restore`. */
export interface Calling {
  /** The path of the backup; `-` is standard output or input. */
  readonly file: string;
  readonly settings: Settings;
  readonly json: boolean;
  readonly text: Text;
  readonly host: Host;
}

/** The argument that names standard output or input. */
export const standardStream = "-";

/**
 * `tertulia backup FILE`: saves the state of a running cluster.
 * @throws Problem (exit code 1) if a majority of the servers can't be asked, or the file exists or
 * can't be written; (exit code 2) if a setting is wrong
 */
export async function runBackup(calling: Calling): Promise<void> {
  const { file, settings, text, host } = calling;
  const secret = readKeyFile(settings.optional("keyFile"), text);
  const isStream = file === standardStream;
  if (!isStream) refuseFile(file, text);
  const stopping = new AbortController();
  using _listening = host.onStop(() => stopping.abort());
  const { signal } = stopping;
  // Every user can write to the folder of temporary files, so the name must not be predictable.
  const path = isStream ? mkdtempSync(join(tmpdir(), "tertulia-backup-")) : `${file}.tmp`;
  using work = openWorkFolder(path, calling);
  if (work === undefined) throw new Problem(text("backup.inUse", { file }));
  giveWay();
  try {
    const manifest = await saveState(calling, work.path, signal);
    const made = { folder: work.path, manifest, secret, signal };
    if (isStream) await pack(made, (bytes) => writeTo(host, bytes));
    else await writeFile(calling, work.path, (write) => pack(made, write));
    tell(calling, manifest);
  } catch (error) {
    throw problemOf(error, calling, signal);
  }
}

/** Lowers the priority of this process, because it may run beside a server. */
function giveWay(): void {
  const { PRIORITY_BELOW_NORMAL: low } = constants.priority;
  if (getPriority() < low) setPriority(low);
}

function refuseFile(file: string, text: Text): void {
  if (existsSync(file)) throw new Problem(text("backup.exists", { file }));
  const folder = file.endsWith(sep) ? file : dirname(resolve(file));
  const isFolder = existsSync(folder) && statSync(folder).isDirectory();
  if (!isFolder) throw new Problem(text("backup.noFolder", { folder }));
  const code = whyUnwritable(folder);
  if (code !== undefined) throw new Problem(text("backup.unwritable", { folder, code }));
}

/** Writes the state of the cluster into the folder. */
async function saveState(
  { settings, text, host }: Calling,
  folder: string,
  signal: AbortSignal,
): Promise<Manifest> {
  using link = openClusterLink(settings, text);
  const { replica, view } = await collect({
    ...link,
    folder,
    signal,
    onFailed: (server, why) => {
      host.errors.write(`${harmless(text("backup.another", { server, why }))}\n`);
    },
  });
  await writeCheckpoint(folder, replica.checkpoint(), signal);
  const { cluster, clock } = link;
  return manifestOf(replica, { folder, cluster, clock: clock.value, view });
}

function manifestOf(
  replica: ServerCore,
  of: { folder: string; cluster: string; clock: number; view: View },
): Manifest {
  const { vector, chains, times } = replica.mark;
  const newest = Math.max(...Object.values(times));
  return {
    format,
    version: ownVersion(),
    cluster: of.cluster,
    made: isoTime(now().wallMs),
    newest: Number.isFinite(newest) ? isoTime(newest) : null,
    view: of.view,
    clock: of.clock,
    vector,
    chains,
    counts: countsOf(replica.checkpoint()),
    files: checkpointFiles.map((name) => {
      const { bytes, checksum } = measureFile(join(of.folder, name));
      return { name, bytes, checksum };
    }),
  };
}

async function writeTo({ output }: Host, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const piece of bytes) {
    if (!output.write(piece)) await once(output, "drain");
  }
}

/** Writes the file under a temporary name, syncs it, and renames it. */
async function writeFile(
  { file, text }: Calling,
  folder: string,
  write: (to: (bytes: AsyncIterable<Uint8Array>) => Promise<void>) => Promise<void>,
): Promise<void> {
  const temporary = join(folder, "backup");
  {
    await using handle = await open(temporary, "wx", ownerOnly);
    await write(async (bytes) => {
      for await (const piece of bytes) await handle.writeFile(piece);
    });
    await handle.sync();
  }
  // The backup may have taken minutes, in which another process can have made the file.
  refuseFile(file, text);
  await rename(temporary, file);
  await syncFolder(dirname(resolve(file)));
}

function tell({ file, json, text, host }: Calling, manifest: Manifest): void {
  const { made, newest, view, vector, counts } = manifest;
  const line = json
    ? harmlessJson(JSON.stringify({ file, made, newest, view, vector, counts }))
    : harmless(text("backup.done", { newest: newest ?? made, ...counts }));
  // Standard output may be the file itself.
  (file === standardStream ? host.errors : host.output).write(`${line}\n`);
}

function problemOf(error: unknown, { file, text }: Calling, signal: AbortSignal): unknown {
  if (signal.aborted) return new Problem(text("backup.stopped", { file }));
  if (error instanceof Problem) return error;
  if (error instanceof NoMajorityError) {
    const { answered, view } = error;
    const quorum = quorumOf(view);
    return new Problem(text("backup.noMajority", { answered, of: view.members.length, quorum }));
  }
  const code = error instanceof NoSpaceError ? "ENOSPC" : errorCode(error);
  if (code === "ENOSPC" || code === "EDQUOT") return new Problem(text("backup.full", { file }));
  return new Problem(text("backup.failed", { file, why: (error as Error).message }));
}
