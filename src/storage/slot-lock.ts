import { closeSync, openSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { tryLock } from "fs-native-extensions";
import { makeFolder } from "../platform/folder.ts";
import { folderProblem, Problem } from "../platform/problem.ts";

/** A folder that only this process uses, until it disposes of the slot or dies. */
export interface Slot extends Disposable {
  readonly folder: string;
}

/**
 * Locks one folder, which is created if it does not exist.
 * @param mode the mode of a new folder
 * @returns undefined if another process has locked the folder
 * @throws Problem if the folder can't be created or opened
 */
export function lockFolder(folder: string, mode?: number): Slot | undefined {
  let fd: number;
  try {
    makeFolder(folder, mode);
    fd = openSync(join(folder, "lock"), "a+");
  } catch (error) {
    throw folderProblem(folder, error);
  }
  if (!tryLock(fd)) {
    closeSync(fd);
    return undefined;
  }
  // The kernel releases the lock when the descriptor is closed, even by kill -9.
  return { folder, [Symbol.dispose]: () => closeSync(fd) };
}

/** @throws Problem if another process uses the folder */
export function lockFolderOrFail(folder: string): Slot {
  const slot = lockFolder(folder);
  if (slot !== undefined) return slot;
  throw new Problem(`The data folder ${folder} is in use by another process: name another one.`);
}

/** The most slots of one folder: more processes than a machine runs. */
const mostSlots = 10_000;

/**
 * Locks a free slot: a numbered folder inside a folder that several processes share (J4). Existing
 * slots come first, in ascending order of `priority`.
 * @throws Problem if the folder can't be used, or all slots are in use
 */
export async function takeSlot(
  parent: string,
  priority: (folder: string) => Promise<number> = async () => 0,
): Promise<Slot> {
  const present = slotsIn(parent);
  const ranked = await Promise.all(
    present.map(async (name) => ({ name, rank: await priority(join(parent, name)) })),
  );
  const used = ranked
    .sort((a, b) => a.rank - b.rank || Number(a.name) - Number(b.name))
    .map(({ name }) => name);
  for (const name of used) {
    const slot = lockFolder(join(parent, name));
    if (slot !== undefined) return slot;
  }
  return takeNewSlot(parent, used);
}

/**
 * Locks all free slots of a folder, so that the caller can take over the data of dead processes
 * (C5). If no slot is free, locks a new slot.
 * @param mode the mode of new folders
 * @throws Problem if the folder can't be used, or all slots are in use
 */
export function takeFreeSlots(parent: string, mode: number): Slot[] {
  const present = slotsIn(parent, mode).sort((a, b) => Number(a) - Number(b));
  const free: Slot[] = [];
  try {
    for (const name of present) {
      const slot = lockFolder(join(parent, name));
      if (slot !== undefined) free.push(slot);
    }
    return free.length > 0 ? free : [takeNewSlot(parent, present, mode)];
  } catch (error) {
    for (const slot of free) slot[Symbol.dispose]();
    throw error;
  }
}

function slotsIn(parent: string, mode?: number): string[] {
  try {
    makeFolder(parent, mode);
    return readdirSync(parent).filter((name) => /^\d+$/.test(name));
  } catch (error) {
    throw folderProblem(parent, error);
  }
}

function takeNewSlot(parent: string, used: readonly string[], mode?: number): Slot {
  for (let number = 1; number <= mostSlots; number += 1) {
    if (used.includes(String(number))) continue;
    const slot = lockFolder(join(parent, String(number)), mode);
    if (slot !== undefined) return slot;
  }
  throw new Problem(`All ${mostSlots} slots of ${parent} are in use.`);
}
