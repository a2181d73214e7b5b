import { existsSync, linkSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { digest } from "../platform/digest.ts";
import type { EventLine } from "../protocol/event.ts";
import { checkpointFiles } from "./checkpoint.ts";
import { readWholeLines } from "./journal-recovery.ts";

/** The folder that keeps damaged files until peers have returned the lost events. */
const damagedFolder = "damaged";

/**
 * Keeps the files of a damaged state for a person to examine: makes hard links to these files in
 * the folder for damaged files.
 * @param isMore whether the folder already has damaged files of an unfinished repair
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

/** Moves the journal to the folder for damaged files; the data folder then has no journal. */
export function putJournalAside(folder: string): void {
  const count = journalsAside(folder).length;
  const name = count === 0 ? "journal" : `journal-${count + 1}`;
  renameSync(join(folder, "journal"), join(folder, damagedFolder, name));
}

/** Returns the undamaged event lines of all damaged journals. */
export function* wholeLines(folder: string): Generator<EventLine> {
  for (const journal of journalsAside(folder)) yield* readWholeLines(journal, digest);
}

/**
 * Returns the folders of damaged journals: more than one if a journal was damaged again before the
 * repair ended.
 */
function journalsAside(folder: string): string[] {
  const aside = join(folder, damagedFolder);
  const names = existsSync(aside) ? readdirSync(aside) : [];
  return names.filter((name) => name.startsWith("journal")).map((name) => join(aside, name));
}

/** Removes the damaged files, after peers have returned all lost events. */
export function dropDamaged(folder: string): Promise<void> {
  return rm(join(folder, damagedFolder), { recursive: true, force: true });
}
