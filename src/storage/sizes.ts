import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { bytesOfCheckpoint } from "./checkpoint.ts";
import { journalNames } from "./journal-file.ts";

export interface Sizes {
  /** The size of all journal files, also of those that are kept only for peers. */
  readonly journalBytes: number;
  readonly stateBytes: number;
}

/** Returns the sizes of a server's journal and of its saved state. */
export function sizesOf(folder: string): Sizes {
  const journal = join(folder, "journal");
  // A new server has no folder for its journal yet.
  const names = existsSync(journal) ? journalNames(journal) : [];
  const sizes = names.map((name) => {
    // A file may be removed after it was listed.
    return statSync(join(journal, name), { throwIfNoEntry: false })?.size ?? 0;
  });
  const journalBytes = sizes.reduce((sum, size) => sum + size, 0);
  return { journalBytes, stateBytes: bytesOfCheckpoint(folder) };
}
