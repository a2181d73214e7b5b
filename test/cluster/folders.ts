import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Child } from "../../src/cluster/child.ts";
import type { LocalCluster } from "../../src/trials/local-cluster.ts";
import { flipped, lineOf } from "../support/journal-files.ts";
import { until } from "../support/until.ts";

/** The data folder of a server: the slot that has its name. */
export function folderOf(cluster: LocalCluster, server: Child): string {
  const slots = join(cluster.folder, "servers");
  for (const slot of readdirSync(slots)) {
    const folder = join(slots, slot);
    const { name } = JSON.parse(readFileSync(join(folder, "identity.json"), "utf8"));
    if (name === server.ready?.name) return folder;
  }
  throw new Error(`${server.label} has no folder`);
}

/** The log of a process, over all its starts. */
export function logOf(cluster: LocalCluster, { role, number }: Child): string {
  return readFileSync(join(cluster.folder, "logs", `${role}-${number}.log`), "utf8");
}

/** The files of a folder's journal, oldest first. */
export function journalOf(folder: string): string[] {
  const names = readdirSync(join(folder, "journal")).sort();
  return names.map((name) => join(folder, "journal", name));
}

/** The end of the last noted sync of a journal file. */
export function syncedBytes(path: string): number {
  const notes = [...readFileSync(path, "latin1").matchAll(/^\{"synced":(\d+)/gm)];
  return Number(notes.at(-1)?.[1] ?? 0);
}

/** Changes a bit of a file. @returns the place, as a log names it */
export function damage(path: string, at: number): string {
  const bytes = readFileSync(path);
  writeFileSync(path, flipped(bytes, at, 1));
  return `${path}:${lineOf(bytes, at)}`;
}

/** Kills a process, and changes its folder before it is started again. */
export async function killAnd(child: Child, body: () => void): Promise<void> {
  const { starts } = child;
  child.signal("SIGKILL");
  await until(() => child.pid === undefined, `the end of ${child.label}`);
  // This process starts it again, so that can't happen before the change is complete.
  if (child.starts !== starts) throw new Error(`${child.label} was started again too soon`);
  body();
}
