import { expect } from "vitest";
import type { EventLine } from "../../src/protocol/event.ts";
import { emptyChain, type ServerName } from "../../src/protocol/ids.ts";
import { type Heads, vectorOf } from "../../src/protocol/mark.ts";
import { covers, type MutableVector } from "../../src/protocol/vector.ts";
import type { Found } from "../../src/storage/journal-recovery.ts";
import { EventMaker } from "./event-lines.ts";
import { type Files, plantFiles, readFiles } from "./journal-files.ts";
import { OpenJournal } from "./open-journal.ts";
import { memoryFolder } from "./temporary-folder.ts";

export interface Written {
  readonly files: Files;
  /** All lines, in the order in which they were written. */
  readonly lines: readonly EventLine[];
  /**
   * The number of lines that a note or a header reports as synced, and where these lines end in the
   * last file.
   */
  readonly synced: number;
  readonly syncedBytes: number;
}

/** A journal as left by a process that was killed after its last batch. */
export async function killedAfter(batches: readonly (readonly ServerName[])[], fileBytes: number) {
  await using folder = await memoryFolder();
  const maker = new EventMaker();
  const lines: EventLine[] = [];
  await using journal = await OpenJournal.at(folder.path, { fileBytes });
  let synced = 0;
  for (const batch of batches) {
    synced = lines.length;
    const made = batch.map((server) => maker.next(server, "Olá"));
    lines.push(...made);
    await journal.write(made);
  }
  const files = readFiles(folder.path);
  const last = [...files.values()].at(-1) as Buffer;
  const notes = [...last.toString("latin1").matchAll(/^\{"synced":(\d+)/gm)];
  const syncedBytes = Number(notes.at(-1)?.[1]);
  return { files, lines, synced, syncedBytes } satisfies Written;
}

export interface Opened {
  readonly found: Found;
  readonly given: readonly EventLine[];
}

/** Replaces the folder's files by these files, opens the journal, and closes it again. */
export async function openFiles(folder: string, files: Files, held: Heads = {}): Promise<Opened> {
  plantFiles(folder, files);
  await using journal = await OpenJournal.at(folder, { held });
  return { found: journal.found, given: journal.lines };
}

/** The last event of each server. */
function headsAt(lines: readonly EventLine[]): Heads {
  return Object.fromEntries(
    lines.map(({ event, chain }) => [event.server, { seq: event.seq, chain }]),
  );
}

/**
 * Whether the journal gives only events that were written, without a gap (R1), whatever is damaged.
 */
export function isTrue({ given }: Opened, { lines }: Written): boolean {
  const reached: MutableVector = {};
  return given.every(({ event: { server, seq }, line }) => {
    const isNext = seq === (reached[server] ?? 0) + 1;
    reached[server] = seq;
    return isNext && lines.some((written) => written.line === line);
  });
}

/**
 * Returns what is wrong in the report of some rot; undefined if nothing is. The report must name
 * file and line. It must name the lost events, or say that they are unknown (J5).
 */
export function complaint({ found }: Opened, written: Written, place: string): string | undefined {
  const [first] = found.damages;
  if (first === undefined || `${first.path}:${first.line}` !== place) {
    return `${place} is not named, but ${first?.path}:${first?.line}`;
  }
  const known = vectorOf(found.known);
  const told = `${place}: ${JSON.stringify(known)} is known`;
  const isKnown = covers(known, vectorOf(headsAt(written.lines.slice(0, written.synced))));
  if (!isKnown && !found.isLossUnknown) return `${told}, which is not all`;
  // No peer can return an event that was never written.
  if (!covers(vectorOf(headsAt(written.lines)), known)) return `${told}, which never was`;
  for (const [server, { seq, chain }] of Object.entries(found.known)) {
    const line = written.lines.find(({ event }) => event.server === server && event.seq === seq);
    if (chain !== emptyChain && chain !== line?.chain) return `${told} by a wrong chain`;
  }
  return undefined;
}

export function expectNamed(opened: Opened, written: Written, place: string): void {
  expect(isTrue(opened, written), place).toBe(true);
  expect(complaint(opened, written, place)).toBe(undefined);
}
