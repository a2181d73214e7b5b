import { existsSync, linkSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { digest } from "../platform/digest.ts";
import type { EventLine } from "../protocol/event.ts";
import { checkpointFiles } from "./checkpoint.ts";
import { readWholeLines } from "./journal-recovery.ts";

/** Keeps damaged files until the peers have returned what was lost. */
const damagedFolder = "damaged";

/**
 * Gives the files of a damaged state a second name, for a person to look at.
 * @param isMore whether the folder has other damaged files that are not repaired yet
 */
export function keepDamaged(folder: string, isMore: boolean): void {
  const aside = join(folder, damagedFolder);
  if (!isMore) rmSync(aside, { recursive: true, force: true });
  mkdirSync(aside, { recursive: true });
  for (const name of checkpointFiles) {
    const isThere = existsSync(join(folder, name)) && !existsSync(join(aside, name));
    if (isThere) linkSync(join(folder, name), join(aside, name));
  }
}

/** Moves the journal away: the folder has none afterwards. */
export function putJournalAside(folder: string): void {
  const count = journalsAside(folder).length;
  const name = count === 0 ? "journal" : `journal-${count + 1}`;
  renameSync(join(folder, "journal"), join(folder, damagedFolder, name));
}

/** The whole lines of the damaged journals. */
export function* wholeLines(folder: string): Generator<EventLine> {
  for (const journal of journalsAside(folder)) yield* readWholeLines(journal, digest);
}

/** Damaged journals: more than one if another was damaged before the first was repaired. */
function journalsAside(folder: string): string[] {
  const aside = join(folder, damagedFolder);
  const names = existsSync(aside) ? readdirSync(aside) : [];
  return names.filter((name) => name.startsWith("journal")).map((name) => join(aside, name));
}

/** Called once all that was lost has come back. */
export function dropDamaged(folder: string): Promise<void> {
  return rm(join(folder, damagedFolder), { recursive: true, force: true });
}
