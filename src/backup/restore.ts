import { existsSync, readdirSync } from "node:fs";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { now } from "../platform/clock.ts";
import { makeFolder, syncFolder } from "../platform/folder.ts";
import { openLog } from "../platform/log.ts";
import { folderProblem, Problem } from "../platform/problem.ts";
import { crash } from "../platform/run-process.ts";
import { noBallot } from "../protocol/epoch.ts";
import { harmless, harmlessJson } from "../protocol/harmless.ts";
import type { ServerName } from "../protocol/ids.ts";
import { LamportClock } from "../protocol/lamport-clock.ts";
import { limits } from "../protocol/limits.ts";
import { readCheckpoint } from "../storage/checkpoint.ts";
import { ClockFile } from "../storage/clock-file.ts";
import { FileStore } from "../storage/file-store.ts";
import { nameOf, noPromises, writePromises } from "../storage/identity.ts";
import type { Text } from "../texts/texts.ts";
import type { Calling } from "./backup.ts";
import { readKeyFile } from "./key-file.ts";
import type { Manifest } from "./manifest.ts";
import { backupProblem, fileSystemCode, refuseOther, unpackNamed } from "./opened-backup.ts";
import { countsOf, newReplica } from "./state.ts";
import { openWorkFolder } from "./work-folder.ts";

/**
 * `tertulia restore FILE`: makes a server's folder from a backup, in a data folder that has none.
 * @throws Problem (exit code 1) if the data folder is in use, or the backup can't be read or is
 * damaged; then no server's folder is made
 */
export async function runRestore(calling: Calling): Promise<void> {
  const { settings, text } = calling;
  const data = settings.get("data");
  const secret = readKeyFile(settings.optional("keyFile"), text);
  refuseUsed(data, text);
  const stopping = new AbortController();
  using _listening = calling.host.onStop(() => stopping.abort());
  const { signal } = stopping;
  using work = openWorkFolder(join(data, "restore.tmp"), calling);
  if (work === undefined) throw new Problem(text("restore.inUse", { folder: data }));
  let manifest: Manifest;
  let name: ServerName;
  try {
    manifest = await unpackNamed(calling, { folder: work.path, secret, signal });
    name = await makeServer(work.path, manifest);
    signal.throwIfAborted();
    await putInPlace(work.path, data);
  } catch (error) {
    if (signal.aborted) throw new Problem(text("restore.stopped"));
    throw problemOf(error, calling, data);
  }
  tell(calling, manifest, { data, name });
}

/** Refuses a data folder with a server or a reference: a restored server is its cluster's first. */
function refuseUsed(data: string, text: Text): void {
  const slots = join(data, "servers");
  const isUsed = (existsSync(slots) && readdirSync(slots).length > 0) || hasReference(data);
  if (isUsed) throw new Problem(text("restore.used", { folder: data }));
}

function hasReference(data: string): boolean {
  return existsSync(join(data, "reference", "reference.json"));
}

/**
 * Makes a server's folder around an unpacked state, and loads it as a starting server would. The
 * server has a new name, so that no `seq` is used twice.
 *
 * The server is the only member of a view above all views of the backed-up cluster. So the epochs
 * of its coordinators are above those in the state (E2), and all other servers first fetch the
 * state from it. No empty server and no other restored server has a view with the same number.
 * @throws Error if the state is damaged or is not the one that the manifest describes
 */
async function makeServer(folder: string, manifest: Manifest): Promise<ServerName> {
  const { checkpoint, damages } = readCheckpoint(folder);
  if (checkpoint === undefined) throw new Error(damages[0]?.why ?? "it has no state");
  const { mark } = checkpoint;
  const clock = new LamportClock(Math.max(manifest.clock, mark.clock));
  const name = await nameOf(folder);
  // A cluster counts its views from 1, so the time in milliseconds is above their numbers. It is
  // also above the numbers that earlier restores have chosen.
  const number = Math.max(manifest.view.number + 1, mark.epoch.view + 1, now().wallMs);
  await writePromises(folder, {
    ...noPromises,
    ballot: noBallot,
    // The state may be of a version without a log of decisions.
    isFormer: true,
    view: { number, members: [name] },
  });
  await (await ClockFile.open(folder, clock, crash))[Symbol.asyncDispose]();
  const log = openLog({ level: "silent", role: "restore", name: () => name, clock: () => 0 });
  const checkpointBytes = limits.checkpointBytes;
  const store = new FileStore({
    ...{ folder, checkpointBytes, clock, log },
    onFlushed: () => {},
    onFailed: crash,
  });
  const replica = await store.load(() => newReplica(name, clock));
  await store.close(undefined);
  const counts = countsOf(replica.checkpoint());
  refuseOther(folder, { ...replica.mark, counts }, manifest);
  return name;
}

async function putInPlace(folder: string, data: string): Promise<void> {
  const slots = join(data, "servers");
  makeFolder(slots);
  await syncFolder(folder);
  // The rename fails if another process has made this folder in the meantime.
  await rename(folder, join(slots, "1"));
  await syncFolder(slots);
  await syncFolder(data);
}

function tell(
  { json, text, host }: Calling,
  { made, newest, vector, counts, cluster }: Manifest,
  { data, name }: { readonly data: string; readonly name: ServerName },
): void {
  const value = { folder: data, server: name, cluster, made, newest, vector, counts };
  const shown = { folder: data, made, newest: newest ?? made, ...counts };
  const lines = json
    ? [harmlessJson(JSON.stringify(value))]
    : [text("restore.done", shown), text("restore.next", shown)].map(harmless);
  for (const line of lines) host.output.write(`${line}\n`);
}

function problemOf(error: unknown, calling: Calling, data: string): unknown {
  const problem = backupProblem(error, calling);
  if (problem !== undefined) return problem;
  if (fileSystemCode(error) !== undefined) return folderProblem(data, error);
  const why = (error as Error).message;
  return new Problem(calling.text("restore.damaged", { file: calling.file, why }));
}
