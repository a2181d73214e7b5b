import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ownerOnlyFolder } from "../platform/folder.ts";
import { lockFolder } from "../storage/slot-lock.ts";

/** A folder for files that are not finished. Disposing of it removes what is left in it. */
export interface WorkFolder extends Disposable {
  readonly path: string;
}

/**
 * Locks a folder and empties it, because an earlier process may have died before it did.
 * @returns undefined if another process uses the folder
 * @throws Problem if the folder can't be created
 */
export function openWorkFolder(path: string): WorkFolder | undefined {
  const slot = lockFolder(path, ownerOnlyFolder);
  if (slot === undefined) return undefined;
  for (const name of readdirSync(path)) {
    if (name !== "lock") rmSync(join(path, name), { recursive: true, force: true });
  }
  return {
    path,
    [Symbol.dispose]() {
      rmSync(path, { recursive: true, force: true });
      slot[Symbol.dispose]();
    },
  };
}
