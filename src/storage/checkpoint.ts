import { createHash } from "node:crypto";
import { existsSync, renameSync, rmSync, statSync, unlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { crc32 } from "node:zlib";
import { syncFolder, syncNow } from "../platform/folder.ts";
import { errorCode, Problem } from "../platform/problem.ts";
import { noEpoch, parseEpoch } from "../protocol/epoch.ts";
import { type Fields, fieldsOf, isMap } from "../protocol/fields.ts";
import { isChain, isServerName } from "../protocol/ids.ts";
import { parseClock } from "../protocol/lamport-clock.ts";
import type { Mark } from "../protocol/mark.ts";
import { entryFiles } from "../protocol/state-files.ts";
import { isoTime } from "../protocol/time.ts";
import { parseVector } from "../protocol/vector.ts";
import type { Damage } from "./damage.ts";
import { checkFormat, fileFormat } from "./file-format.ts";
import { findDamagedLine, linesOf, measureFile, type Size, writeLineFile } from "./line-file.ts";
import { findByTable, findInTable, fromBase64, table, tableLines, toBase64 } from "./line-table.ts";

/**
 * A saved state: the files of entries, one entry per line, and two more files.
 *
 *     lines.json        CRC-32 of each line of the other files (base64; 4 bytes, little-endian),
 *                       which locates a damaged line
 *     checkpoint.json   {format, vector, chains, clock, epoch, times, files: {name: {bytes, checksum}},
 *                       rows, lines, checksum}; `lines` and `checksum` cover all lines before them
 *
 * All files are written under temporary names and synced before the first is renamed. So a crash
 * leaves either the old state, or the new state with a few files still to be renamed (J1).
 */
export interface CheckpointSource {
  readonly mark: Mark;
  readonly files: readonly { readonly name: string; readonly lines: Iterable<string> }[];
  /** JSON values for checkpoint.json, one per line. */
  readonly rows: Iterable<string>;
}

export interface Checkpoint {
  readonly mark: Mark;
  /** The checksum of checkpoint.json, which identifies this state. */
  readonly checksum: string;
  readonly rows: Iterable<string>;
  /** Whether the state has all files of this version; a state of an older version may lack some. */
  readonly hasAllFiles: boolean;
  /** Returns the entries of a file as JSON; no entries if the state lacks the file. */
  entries(name: string): Iterable<string>;
}

const main = "checkpoint.json";
const temporary = ".tmp";
const rowsLead = '"rows":[';
const rowsTail = "],";
const linesLead = '"lines":"';
const checksumLead = '"checksum":"';
/** The length in bytes of the last line of checkpoint.json. */
const mainEnd = checksumLine("0".repeat(64)).length;

/** All files of a saved state, in the order in which they are sent to peers and renamed. */
export const checkpointFiles = [...entryFiles, table, main] as const;

/** The error if the disk has no space for the new files; the previous state is still whole. */
export class NoSpaceError extends Error {}

/**
 * Writes a state, which replaces the previous state.
 * @returns the checksum that identifies the state
 * @throws NoSpaceError if the disk is full; Error if the disk can't be written or the signal is
 * aborted
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
  // All files are renamed in one turn of the event loop, so that no reader opens some files of the
  // old state and some of the new state.
  for (const name of temporaryFiles(folder)) putInPlace(folder, name);
  await syncFolder(folder);
  return checksum;
}

async function writeTemporaryFiles(
  folder: string,
  { mark, files, rows }: CheckpointSource,
  signal: AbortSignal | undefined,
): Promise<string> {
  const written: Record<string, Size> = {};
  const tables: Record<string, readonly number[]> = {};
  const write = async (name: string, lines: Iterable<string>) => {
    const path = join(folder, name + temporary);
    const file = await writeLineFile(path, lines, signal);
    written[name] = { bytes: file.bytes, checksum: file.checksum };
    tables[name] = file.lines;
  };
  for (const { name, lines } of files) await write(name, lines);
  await write(table, tableLines(tables));
  const { vector, chains, clock, epoch } = mark;
  const times = Object.entries(mark.times).map(([server, ms]) => [server, isoTime(ms)]);
  const head = {
    format: fileFormat,
    vector,
    chains,
    clock,
    epoch,
    times: Object.fromEntries(times),
    files: written,
  };
  const { lines, checksum } = mainFile(head, rows);
  await write(main, lines);
  return checksum();
}

function temporaryFiles(folder: string): string[] {
  return checkpointFiles.filter((name) => existsSync(join(folder, name + temporary)));
}

function putInPlace(folder: string, name: string): void {
  renameSync(join(folder, name + temporary), join(folder, name));
}

/**
 * Returns the lines of checkpoint.json, and a function that returns the file's checksum once the
 * last line was read.
 */
function mainFile(head: object, rows: Iterable<string>) {
  const hash = createHash("sha256");
  const checksums: number[] = [];
  let checksum = "";
  const lines = function* (): Generator<string> {
    for (const line of ownLines(head, rows)) {
      hash.update(line);
      checksums.push(crc32(line));
      yield line;
    }
    const own = `${ownTable(toBase64(checksums))}\n`;
    yield own;
    checksum = hash.update(own).digest("hex");
    yield checksumLine(checksum);
  };
  return { lines: lines(), checksum: () => checksum };
}

function* ownLines(head: object, rows: Iterable<string>): Generator<string> {
  let lead = "{";
  for (const [name, value] of Object.entries(head)) {
    yield `${lead}"${name}":${JSON.stringify(value)},\n`;
    lead = "";
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

/** Returns the last line of checkpoint.json. */
function checksumLine(checksum: string): string {
  return `${checksumLead}${checksum}"}\n`;
}

/**
 * Checks every byte of a folder's saved state, and opens the state. After a crash during
 * `writeCheckpoint`, first finishes the renames if the new state is whole, otherwise removes the
 * new state's files.
 * @throws Problem if a newer version of the program has written the state
 */
export function openCheckpoint(folder: string): {
  readonly checkpoint: Checkpoint | undefined;
  readonly damages: readonly Damage[];
} {
  finishOrRemove(folder);
  return readCheckpoint(folder);
}

/** Works like `openCheckpoint`, but neither renames nor removes a file. */
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

/**
 * Returns the mark of a folder's saved state; undefined if checkpoint.json is missing or damaged.
 */
export function readMark(folder: string): Mark | undefined {
  const path = join(folder, main);
  if (!existsSync(path)) return undefined;
  const read = readMain(path);
  return "why" in read ? undefined : read.mark;
}

/** Returns the bytes of all files of a folder's saved state; 0 if the folder has no state. */
export function bytesOfCheckpoint(folder: string): number {
  const sizes = checkpointFiles.map((name) => {
    return statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0;
  });
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Returns the entries of a file, without the brackets and commas around them. */
function* entriesOf(path: string): Generator<string> {
  for (const line of linesOf(path)) {
    if (line.length > 2) yield withoutComma(line);
  }
}

type Sizes = Readonly<Record<string, Size>>;

type Main = Pick<Checkpoint, "mark" | "checksum" | "rows"> & { readonly files: Sizes };

function readMain(path: string): Main | Damage {
  const { checksum, rest } = measureFile(path, statSync(path).size - mainEnd);
  if (rest !== checksumLine(checksum)) {
    return { path, line: damagedMainLine(path), why: "the checksum does not match" };
  }
  try {
    const head: string[] = [];
    for (const line of linesOf(path)) {
      head.push(line);
      if (line === rowsLead) break;
    }
    const value: unknown = JSON.parse(`${head.join("\n")}]}`);
    checkFormat(path, value);
    const { mark, files } = parseHead(value);
    return { mark, files, checksum, rows: { [Symbol.iterator]: () => rowsOf(path) } };
  } catch (error) {
    if (error instanceof Problem) throw error;
    return { path, line: 1, why: (error as Error).message };
  }
}

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

/**
 * Returns the first damaged line of checkpoint.json, counted from 1, by the checksums in its second
 * to last line.
 */
function damagedMainLine(path: string): number {
  let count = 0;
  let rowsEnd = 0;
  let tableAt = 0;
  let tableLine = "";
  for (const line of linesOf(path)) {
    count += 1;
    if (line === rowsTail) rowsEnd = count;
    if (!line.startsWith(linesLead)) continue;
    tableAt = count;
    tableLine = line;
  }
  // The line of checksums is not found, because its beginning is damaged. If the end of the rows is
  // found, the line of checksums is the line after that end. Otherwise the second to last line of
  // the file is taken.
  if (tableAt === 0) return rowsEnd === 0 ? Math.max(1, count - 1) : rowsEnd + 1;
  const encoded = tableLine.slice(linesLead.length + 9, -2);
  if (tableLine !== ownTable(encoded)) return tableAt;
  const line = findDamagedLine(path, fromBase64(encoded));
  return line === tableAt ? tableAt + 1 : line;
}

/**
 * Returns the second to last line of checkpoint.json: the checksums of all lines before it, and a
 * checksum of these checksums.
 */
function ownTable(encoded: string): string {
  return `${linesLead}${crc32(encoded).toString(16).padStart(8, "0")} ${encoded}",`;
}

function parseHead(head: unknown): { mark: Mark; files: Sizes } {
  if (!isMap(head) || !isMap(head.chains) || !isMap(head.files))
    throw new Error("it is not a saved state");
  const clock = parseClock(head.clock);
  if (clock === undefined) throw new Error("it has no `clock`");
  const vector = parseVector(head.vector, "vector", Number.POSITIVE_INFINITY);
  const chains = mapOf(head, "chains", (server, chain) => {
    return isServerName(server) && isChain(chain) ? chain : undefined;
  });
  const times = mapOf(head, "times", (server, time) => {
    const ms = typeof time === "string" ? Date.parse(time) : Number.NaN;
    return isServerName(server) && !Number.isNaN(ms) ? ms : undefined;
  });
  const files = mapOf(head, "files", (name, size) => {
    const { checksum, bytes: given } = fieldsOf(size);
    const bytes = parseClock(given);
    const isRight = basename(name) === name && bytes !== undefined && typeof checksum === "string";
    return isRight ? { bytes, checksum } : undefined;
  });
  return {
    mark: { vector, chains, clock, times, epoch: parseEpoch(head.epoch) ?? noEpoch },
    files,
  };
}

/**
 * Parses each value of a map in the field `field`. @param parse returns undefined for a wrong key
 * or value
 */
function mapOf<T>(
  head: Fields,
  field: string,
  parse: (key: string, value: unknown) => T | undefined,
): Record<string, T> {
  const entries = Object.entries(fieldsOf(head[field])).map(([key, value]) => {
    const parsed = parse(key, value);
    if (parsed === undefined) throw new Error(`\`${field}\` is wrong`);
    return [key, parsed] as const;
  });
  return Object.fromEntries(entries);
}

function findDamages(folder: string, files: Sizes): Damage[] {
  const names = Object.keys(files);
  const whole = names.filter((name) => isWhole(join(folder, name), files[name]));
  const damaged = names.filter((name) => !whole.includes(name));
  return damaged.map((name) => {
    const path = join(folder, name);
    if (!existsSync(path)) return { path, line: 1, why: "it is missing" };
    const others = names.filter((file) => file !== table);
    const line = name === table ? findInTable(folder, others, whole) : findByTable(folder, name);
    return { path, line, why: "the checksum does not match" };
  });
}

function isWhole(path: string, size: Size | undefined): boolean {
  if (!existsSync(path)) return false;
  const found = measureFile(path);
  return found.bytes === size?.bytes && found.checksum === size.checksum;
}

/**
 * After a crash, finishes the renames of a new state if all its files are whole, otherwise removes
 * its temporary files. A power cut may have undone any of the renames, so each file of the new
 * state may have its temporary or its final name.
 */
function finishOrRemove(folder: string): void {
  const left = temporaryFiles(folder);
  if (left.length === 0) return;
  const isDone = isComplete(folder, left);
  for (const name of left) {
    if (isDone) putInPlace(folder, name);
    else unlinkSync(join(folder, name + temporary));
  }
  if (isDone) syncNow(folder);
}

function isComplete(folder: string, left: readonly string[]): boolean {
  const pathOf = (name: string) => join(folder, left.includes(name) ? name + temporary : name);
  if (!existsSync(pathOf(main))) return false;
  const read = readMain(pathOf(main));
  return (
    "files" in read &&
    Object.entries(read.files).every(([name, size]) => {
      return isWhole(pathOf(name), size);
    })
  );
}
