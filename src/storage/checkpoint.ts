import { createHash } from "node:crypto";
import { existsSync, renameSync, rmSync, statSync, unlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { crc32 } from "node:zlib";
import { errorCode } from "../platform/problem.ts";
import { noEpoch, parseEpoch } from "../protocol/epoch.ts";
import { isMap } from "../protocol/fields.ts";
import { isChain, isServerName, type ServerName } from "../protocol/ids.ts";
import { parseClock } from "../protocol/lamport-clock.ts";
import type { Mark } from "../protocol/mark.ts";
import { entryFiles } from "../protocol/state-files.ts";
import { isoTime } from "../protocol/time.ts";
import { parseVector } from "../protocol/vector.ts";
import type { Damage } from "./damage.ts";
import { syncFolder, syncNow } from "./folder.ts";
import { LineChecksums, linesOf, measureFile, readEnd, writeLineFile } from "./line-file.ts";
import { findByTable, findInTable, fromBase64, table, tableLines, toBase64 } from "./line-table.ts";

/**
 * A saved state: files of entries, one a line, and two of its own.
 *
 *     lines.json        CRC-32 of each line of the others (base64, 4 bytes each, little-endian),
 *                       by which a damaged line can be named
 *     checkpoint.json   {vector, chains, clock, epoch, times, files: {name: {bytes, checksum}}, rows, …};
 *                       its last line is the SHA-256 of all before it
 *
 * All are written to temporary names and synced before the first is renamed, so a crash leaves
 * either the old state, or the new one with a few names still to be changed (J1).
 */
export interface CheckpointSource {
  readonly mark: Mark;
  readonly files: readonly { readonly name: string; readonly lines: Iterable<string> }[];
  /** JSON values, one a line, that stand in checkpoint.json. */
  readonly rows: Iterable<string>;
}

export interface Checkpoint {
  readonly mark: Mark;
  /** Names this very state: the checksum of checkpoint.json. */
  readonly checksum: string;
  readonly rows: Iterable<string>;
  /** Whether it has every file of this version's states: an older version knew fewer. */
  readonly hasAllFiles: boolean;
  /** The entries of a file as JSON, one a line; none of a file that the state does not have. */
  entries(name: string): Iterable<string>;
}

const main = "checkpoint.json";
const temporary = ".tmp";
const rowsLead = '"rows":[';
const rowsTail = "],";
const linesLead = '"lines":"';
const checksumLead = '"checksum":"';
/** Bytes of the last line of checkpoint.json. */
const mainEnd = checksumLine("0".repeat(64)).length;

/** All files of a saved state, in the order in which they are sent to others and put in place. */
export const checkpointFiles = [...entryFiles, table, main] as const;

/** There was no space for the new files: the state before is still whole. */
export class NoSpaceError extends Error {}

/**
 * Writes a state and puts it in the place of the one before.
 * @returns the checksum of checkpoint.json, which names this state
 * @throws NoSpaceError; Error if the disk can't be written, or the signal is aborted
 */
export async function writeCheckpoint(
  folder: string,
  source: CheckpointSource,
  signal?: AbortSignal,
): Promise<string> {
  let checksum: string;
  try {
    checksum = await writeTemporaryFiles(folder, source, signal);
  } catch (error) {
    for (const name of checkpointFiles) rmSync(join(folder, name + temporary), { force: true });
    throw errorCode(error) === "ENOSPC" ? new NoSpaceError((error as Error).message) : error;
  }
  // In one go: nobody opens half of the old and half of the new.
  for (const name of checkpointFiles) {
    if (existsSync(join(folder, name + temporary))) renameSync(...temporaryAndFinal(folder, name));
  }
  await syncFolder(folder);
  return checksum;
}

/** @returns the checksum of checkpoint.json */
async function writeTemporaryFiles(
  folder: string,
  { mark, files, rows }: CheckpointSource,
  signal: AbortSignal | undefined,
): Promise<string> {
  const written: Record<string, { bytes: number; checksum: string }> = {};
  const tables: Record<string, Uint32Array> = {};
  const write = async (name: string, lines: Iterable<string>) => {
    const path = join(folder, name + temporary);
    const { bytes, checksum, lines: list } = await writeLineFile(path, lines, signal);
    written[name] = { bytes, checksum };
    tables[name] = list;
  };
  for (const { name, lines } of files) await write(name, lines);
  await write(table, tableLines(tables));
  const { vector, chains, clock, times, epoch } = mark;
  const iso = Object.entries(times).map(([server, ms]) => [server, isoTime(ms)]);
  const head = {
    vector,
    chains,
    clock,
    epoch,
    times: Object.fromEntries(iso),
    files: written,
  };
  const { lines, checksum } = mainFile(head, rows);
  await writeLineFile(join(folder, main + temporary), lines, signal);
  return checksum();
}

function temporaryAndFinal(folder: string, name: string): [string, string] {
  return [join(folder, name + temporary), join(folder, name)];
}

/** checkpoint.json, and its checksum once its lines were taken. */
function mainFile(head: object, rows: Iterable<string>) {
  const hash = createHash("sha256");
  const checksums = new LineChecksums();
  let checksum = "";
  // The last two lines tell of those before them.
  const lines = function* (): Generator<string> {
    for (const line of ownLines(head, rows)) {
      hash.update(line);
      checksums.add(line);
      yield line;
    }
    const table = `${ownTable(toBase64(checksums.list))}\n`;
    yield table;
    checksum = hash.update(table).digest("hex");
    yield checksumLine(checksum);
  };
  return { lines: lines(), checksum: () => checksum };
}

function* ownLines(head: object, rows: Iterable<string>): Generator<string> {
  const entries = Object.entries(head);
  for (const [index, [name, value]] of entries.entries()) {
    yield `${index === 0 ? "{" : ""}"${name}":${JSON.stringify(value)},\n`;
  }
  yield `${rowsLead}\n`;
  let before: string | undefined;
  for (const row of rows) {
    if (before !== undefined) yield `${before},\n`;
    before = row;
  }
  if (before !== undefined) yield `${before}\n`;
  yield `${rowsTail}\n`;
}

/** The last line of checkpoint.json. */
function checksumLine(checksum: string): string {
  return `${checksumLead}${checksum}"}\n`;
}

// ---- reading ------------------------------------------------------------------------------------

/**
 * Opens the saved state of a folder once every byte of it was checked. What a crash left of a
 * checkpoint that was being put in place is finished, or removed.
 */
export function openCheckpoint(folder: string): {
  readonly checkpoint: Checkpoint | undefined;
  readonly damages: readonly Damage[];
} {
  finishOrRemove(folder);
  return readCheckpoint(folder);
}

/** As `openCheckpoint`, without changing anything. */
export function readCheckpoint(folder: string): ReturnType<typeof openCheckpoint> {
  const path = join(folder, main);
  if (!existsSync(path)) return { checkpoint: undefined, damages: [] };
  const read = readMain(path);
  if ("why" in read) return { checkpoint: undefined, damages: [read] };
  const damages = findDamages(folder, read.files);
  const checkpoint: Checkpoint = {
    mark: read.mark,
    checksum: read.checksum,
    rows: read.rows,
    hasAllFiles: checkpointFiles.every((name) => name === main || name in read.files),
    entries: (name) => (name in read.files ? entriesOf(join(folder, name)) : []),
  };
  return { checkpoint: damages.length === 0 ? checkpoint : undefined, damages };
}

/** What a folder's saved state stands for, if that much of it is whole. */
export function readMark(folder: string): Mark | undefined {
  const path = join(folder, main);
  if (!existsSync(path)) return undefined;
  const read = readMain(path);
  return "why" in read ? undefined : read.mark;
}

/** Entries without the brackets and commas around them. */
function* entriesOf(path: string): Generator<string> {
  for (const line of linesOf(path)) {
    if (line.length > 2) yield withoutComma(line);
  }
}

type Sizes = Readonly<Record<string, { readonly bytes: number; readonly checksum: string }>>;

interface Main {
  readonly mark: Mark;
  readonly checksum: string;
  readonly files: Sizes;
  readonly rows: Iterable<string>;
}

function readMain(path: string): Main | Damage {
  const { size } = statSync(path);
  const { checksum } = measureFile(path, size - mainEnd);
  if (readEnd(path, mainEnd) !== checksumLine(checksum)) {
    return { path, line: damagedMainLine(path), why: "the checksum does not match" };
  }
  try {
    const head: string[] = [];
    for (const line of linesOf(path)) {
      head.push(line);
      if (line === rowsLead) break;
    }
    const { mark, files } = parseHead(JSON.parse(`${head.join("\n")}]}`));
    return { mark, files, checksum, rows: { [Symbol.iterator]: () => rowsOf(path) } };
  } catch (error) {
    return { path, line: 1, why: (error as Error).message };
  }
}

/** The rows of a checkpoint.json that is whole. */
function* rowsOf(path: string): Generator<string> {
  let isRow = false;
  for (const line of linesOf(path)) {
    if (line === rowsTail) return;
    if (isRow) yield withoutComma(line);
    isRow ||= line === rowsLead;
  }
}

function withoutComma(line: string): string {
  return line.endsWith(",") ? line.slice(0, -1) : line;
}

/** The line of checkpoint.json whose checksum is another: the last two, if those before are whole. */
function damagedMainLine(path: string): number {
  let count = 0;
  let rowsEnd = 0;
  let tableAt = 0;
  let ownTableLine = "";
  for (const line of linesOf(path)) {
    count += 1;
    if (line === rowsTail) rowsEnd = count;
    if (!line.startsWith(linesLead)) continue;
    tableAt = count;
    ownTableLine = line;
  }
  // The table's own beginning is damaged: it is the line behind the rows, or the last but one.
  if (tableAt === 0) return rowsEnd === 0 ? Math.max(1, count - 1) : rowsEnd + 1;
  const encoded = ownTableLine.slice(linesLead.length + 9, -2);
  if (ownTableLine !== ownTable(encoded)) return tableAt;
  const expected = fromBase64(encoded);
  let number = 0;
  for (const line of linesOf(path)) {
    number += 1;
    if (number === tableAt) break;
    if (crc32(`${line}\n`) !== expected[number - 1]) return number;
  }
  return tableAt + 1;
}

/** The last line but one of checkpoint.json: the checksums of those before, and their own. */
function ownTable(encoded: string): string {
  return `${linesLead}${crc32(encoded).toString(16).padStart(8, "0")} ${encoded}",`;
}

function parseHead(head: unknown): { mark: Mark; files: Sizes } {
  if (!isMap(head) || !isMap(head.chains) || !isMap(head.files)) throw new Error("it is no state");
  const clock = parseClock(head.clock);
  if (clock === undefined) throw new Error("it has no `clock`");
  const vector = parseVector(head.vector, "vector", Number.POSITIVE_INFINITY);
  const chains: Record<string, string> = {};
  for (const [server, chain] of Object.entries(head.chains)) {
    if (!isServerName(server) || !isChain(chain)) throw new Error("`chains` is wrong");
    chains[server] = chain;
  }
  for (const [name, size] of Object.entries(head.files)) {
    const isPlain = basename(name) === name && isMap(size);
    if (!isPlain || parseClock(size.bytes) === undefined || typeof size.checksum !== "string") {
      throw new Error("`files` is wrong");
    }
  }
  const times = readTimes(head.times);
  const epoch = parseEpoch(head.epoch) ?? noEpoch;
  return {
    mark: { vector, chains: chains as Mark["chains"], clock, times, epoch },
    files: head.files as Sizes,
  };
}

function readTimes(value: unknown): Mark["times"] {
  const times: Record<ServerName, number> = {};
  for (const [server, time] of Object.entries(isMap(value) ? value : {})) {
    const ms = typeof time === "string" ? Date.parse(time) : Number.NaN;
    if (!isServerName(server) || Number.isNaN(ms)) throw new Error("`times` is wrong");
    times[server] = ms;
  }
  return times;
}

function findDamages(folder: string, files: Sizes): Damage[] {
  const damages: Damage[] = [];
  for (const name of Object.keys(files)) {
    const path = join(folder, name);
    if (!existsSync(path)) {
      damages.push({ path, line: 1, why: "it is missing" });
    } else if (!isWhole(folder, name, files)) {
      const others = Object.keys(files).filter((file) => file !== table);
      const whole = others.filter((file) => isWhole(folder, file, files));
      const line = name === table ? findInTable(folder, others, whole) : findByTable(folder, name);
      damages.push({ path, line, why: "the checksum does not match" });
    }
  }
  return damages;
}

function isWhole(folder: string, name: string, files: Sizes): boolean {
  return existsSync(join(folder, name)) && isAsWritten(join(folder, name), files[name]);
}

function isAsWritten(path: string, size: Sizes[string] | undefined): boolean {
  const found = measureFile(path);
  return found.bytes === size?.bytes && found.checksum === size.checksum;
}

// ---- after a crash --------------------------------------------------------------------------------

/**
 * Once checkpoint.json is whole, under whichever name, so are all the others, under one or the
 * other: a power cut may leave any of the names unchanged.
 */
function finishOrRemove(folder: string): void {
  const left = checkpointFiles.filter((name) => existsSync(join(folder, name + temporary)));
  if (left.length === 0) return;
  const isWhole = isComplete(folder, left);
  for (const name of left) {
    if (isWhole) renameSync(...temporaryAndFinal(folder, name));
    else unlinkSync(join(folder, name + temporary));
  }
  if (isWhole) syncNow(folder);
}

function isComplete(folder: string, left: readonly string[]): boolean {
  const pathOf = (name: string) => join(folder, left.includes(name) ? name + temporary : name);
  if (!existsSync(pathOf(main))) return false;
  const read = readMain(pathOf(main));
  if ("why" in read) return false;
  return Object.entries(read.files).every(([name, size]) => {
    return existsSync(pathOf(name)) && isAsWritten(pathOf(name), size);
  });
}
