import { lstatSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ownerOnlyFolder } from "../platform/folder.ts";
import type { Host } from "../platform/host.ts";
import { Problem } from "../platform/problem.ts";
import { lockFolder } from "../storage/slot-lock.ts";
import type { Text } from "../texts/texts.ts";

/** A folder for files that are not finished. Disposing of it removes what is left in it. */
export interface WorkFolder extends Disposable {
  readonly path: string;
}

/** The file that `lockFolder` makes first, so that each work folder has it. */
const lock = "lock";

/**
 * Locks a folder and empties it, because an earlier process may have died and left files in it. The
 * folder is also removed if this process ends early, for example because its output was closed.
 * @returns undefined if another process uses the folder
 * @throws Problem if the folder can't be created, or has files of somebody else
 */
export function openWorkFolder(
  path: string,
  { host, text }: { readonly host: Pick<Host, "onEnd">; readonly text: Text },
): WorkFolder | undefined {
  if (!mayBeEmptied(path)) throw new Problem(text("backup.otherFolder", { folder: path }));
  const slot = lockFolder(path, ownerOnlyFolder);
  if (slot === undefined) return undefined;
  const remove = () => rmSync(path, { recursive: true, force: true });
  const listening = host.onEnd(remove);
  for (const name of readdirSync(path)) {
    if (name !== lock) rmSync(join(path, name), { recursive: true, force: true });
  }
  return {
    path,
    [Symbol.dispose]() {
      listening[Symbol.dispose]();
      remove();
      slot[Symbol.dispose]();
    },
  };
}

/** Returns whether the path is free, or a folder that an earlier process has left. */
function mayBeEmptied(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return true;
  // The files behind a symbolic link are not those of an earlier process.
  if (!found.isDirectory()) return false;
  const names = readdirSync(path);
  return names.length === 0 || names.includes(lock);
}
