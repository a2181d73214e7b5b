import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Child } from "../../src/cluster/child.ts";
import type { LocalCluster } from "../../src/trials/local-cluster.ts";
import { flipped, lineOf } from "../support/journal-files.ts";
import { until } from "../support/until.ts";

/** Returns the data folder of a server: the slot whose identity has the server's name. */
export function folderOf(cluster: LocalCluster, server: Child): string {
  const slots = join(cluster.folder, "servers");
  for (const slot of readdirSync(slots)) {
    const folder = join(slots, slot);
    const { name } = JSON.parse(readFileSync(join(folder, "identity.json"), "utf8"));
    if (name === server.ready?.name) return folder;
  }
  throw new Error(`${server.label} has no folder`);
}

/** Returns the log of a process, over all its starts. */
export function logOf(cluster: LocalCluster, { role, number }: Child): string {
  return readFileSync(join(cluster.folder, "logs", `${role}-${number}.log`), "utf8");
}

/** Returns the paths of a data folder's journal files, oldest first. */
export function journalOf(folder: string): string[] {
  const names = readdirSync(join(folder, "journal")).sort();
  return names.map((name) => join(folder, "journal", name));
}

/** Returns how many bytes of a journal file its last sync note covers. */
export function syncedBytes(path: string): number {
  const notes = [...readFileSync(path, "latin1").matchAll(/^\{"synced":(\d+)/gm)];
  return Number(notes.at(-1)?.[1] ?? 0);
}

/** Flips a bit of a file. @returns the path and line of the damage, as a log writes them */
export function damage(path: string, at: number): string {
  const bytes = readFileSync(path);
  writeFileSync(path, flipped(bytes, at, 1));
  return `${path}:${lineOf(bytes, at)}`;
}

/** Kills a process, and runs `body` before the process is started again. */
export async function killAnd(child: Child, body: () => void): Promise<void> {
  const { starts } = child;
  child.signal("SIGKILL");
  await until(() => child.pid === undefined, `the end of ${child.label}`);
  // This test's process restarts the child, but not while the synchronous `body` runs.
  if (child.starts !== starts) throw new Error(`${child.label} was started again too soon`);
  body();
}
