import { existsSync, rmSync } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { ownerOnly, syncFolder } from "../platform/folder.ts";
import { retrying } from "../platform/retry.ts";
import type { SnapshotPage } from "../protocol/peer-messages.ts";
import { checkpointFiles, readCheckpoint } from "./checkpoint.ts";
import { describeDamage } from "./damage.ts";

/**
 * The folder of a state fetched from a peer, kept until this server has saved a state with the same
 * events.
 */
export const snapshotFolder = "snapshot";
/** The folders of a state that is being fetched, and of a state that is being removed. */
const partialFolder = "snapshot.tmp";
const doneFolder = "snapshot.done";

/**
 * Removes a fetched state. The folder is renamed first, because a later start would take a
 * half-removed state for damage.
 */
export async function dropSnapshot(folder: string): Promise<void> {
  const done = join(folder, doneFolder);
  await remove(done);
  if (!existsSync(join(folder, snapshotFolder))) return;
  await rename(join(folder, snapshotFolder), done);
  await remove(done);
}

/** Removes the files of an unfinished fetch or removal. */
export function removeSnapshotRests(folder: string): void {
  for (const name of [partialFolder, doneFolder]) {
    rmSync(join(folder, name), { recursive: true, force: true });
  }
}

function remove(path: string): Promise<void> {
  return rm(path, { recursive: true, force: true });
}

export interface Place {
  readonly of: string | undefined;
  readonly file: number;
  readonly offset: number;
}

/** Each page is retried, so that a lost answer does not waste the fetched pages. */
const patience = { mostTries: 3, pauseMs: 0 };

/**
 * Copies a peer's saved state to this server's disk page by page, checks the copy, and moves it to
 * its final folder.
 * @throws Error if the peer does not answer, has replaced the state by a newer one, or sent invalid
 * data
 */
export async function fetchSnapshot(
  folder: string,
  ask: (place: Place) => Promise<SnapshotPage>,
  signal: AbortSignal,
): Promise<void> {
  const partial = join(folder, partialFolder);
  await remove(partial);
  try {
    await mkdir(partial);
    await copyFiles(partial, ask, signal);
    const { checkpoint, damages } = readCheckpoint(partial);
    if (checkpoint === undefined) {
      throw new Error(damages[0] === undefined ? "it is empty" : describeDamage(damages[0]));
    }
    await syncFolder(partial);
  } catch (error) {
    await remove(partial);
    throw error;
  }
  await dropSnapshot(folder);
  await rename(partial, join(folder, snapshotFolder));
  await syncFolder(folder);
}

async function copyFiles(
  partial: string,
  ask: (place: Place) => Promise<SnapshotPage>,
  signal: AbortSignal,
): Promise<void> {
  let of: string | undefined;
  for (const [number, name] of checkpointFiles.entries()) {
    await using file = await open(join(partial, name), "wx", ownerOnly);
    for (let offset = 0, size = 1; offset < size; ) {
      signal.throwIfAborted();
      const page = await retrying(patience, () => ask({ of, file: number, offset }));
      of ??= page.of;
      if (page.of !== of) throw new Error("another state came than the one that was begun");
      size = page.size;
      if (page.bytes.length === 0 && offset < size) throw new Error("a page was empty");
      await file.writeFile(page.bytes);
      offset += page.bytes.length;
    }
    await file.datasync();
  }
}
