import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, unlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { crc32 } from "node:zlib";
import { noEpoch, parseEpoch } from "../protocol/epoch.ts";
import { isChain, isServerName, type ServerName } from "../protocol/ids.ts";
import { parseClock } from "../protocol/lamport-clock.ts";
import type { Mark } from "../protocol/mark.ts";
import { isMap } from "../protocol/parse-message.ts";
import { isoTime } from "../protocol/time.ts";
import { parseVector } from "../protocol/vector.ts";
import type { Damage } from "./damage.ts";
import { syncFolder, syncFolderNow } from "./folder.ts";
import { linesOf, measureFile, writeLineFile } from "./line-file.ts";
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
  /** The entries of a file as JSON, one a line. */
  entries(name: string): Iterable<string>;
}

const main = "checkpoint.json";
const temporary = ".tmp";
const rowsLead = '"rows":[';
const rowsTail = "],";
const linesLead = '"lines":"';
const checksumLead = '"checksum":"';

/** Files of a saved state, in the order in which they are sent to others and put in place. */
export const checkpointFiles = [
  "users.json",
  "channels.json",
  "accounts.json",
  "messages.json",
  "publications.json",
  table,
  main,
] as const;

/**
 * Writes a state and puts it in the place of the one before.
 * @returns the checksum of checkpoint.json, which names this state
 * @throws Error if the disk can't be written, or the signal is aborted
 */
export async function writeCheckpoint(
  folder: string,
  source: CheckpointSource,
  signal?: AbortSignal,
): Promise<string> {
  try {
    await writeTemporaryFiles(folder, source, signal);
  } catch (error) {
    for (const name of checkpointFiles) rmSync(join(folder, name + temporary), { force: true });
    throw error;
  }
  // In one go: nobody opens half of the old and half of the new.
  for (const name of checkpointFiles) {
    if (existsSync(join(folder, name + temporary))) renameSync(...temporaryAndFinal(folder, name));
  }
  await syncFolder(folder);
  return checksumOf(join(folder, main));
}

async function writeTemporaryFiles(
  folder: string,
  { mark, files, rows }: CheckpointSource,
  signal: AbortSignal | undefined,
): Promise<void> {
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
  await writeLineFile(join(folder, main + temporary), mainLines(head, rows), signal);
}

/** What the last line of checkpoint.json says. */
function checksumOf(path: string): string {
  const read = readMain(path);
  if ("why" in read) throw new Error(`${path} was written wrong`);
  return read.checksum;
}

function temporaryAndFinal(folder: string, name: string): [string, string] {
  return [join(folder, name + temporary), join(folder, name)];
}

/** The last two lines tell of those before them. */
function* mainLines(head: object, rows: Iterable<string>): Generator<string> {
  const hash = createHash("sha256");
  const checksums: number[] = [];
  const own = function* (): Generator<string> {
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
  };
  for (const line of own()) {
    hash.update(line);
    checksums.push(crc32(line));
    yield line;
  }
  const lines = `${ownTable(toBase64(Uint32Array.from(checksums)))}\n`;
  yield lines;
  yield `${checksumLead}${hash.update(lines).digest("hex")}"}\n`;
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
    entries: (name) => entriesOf(join(folder, name)),
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
    if (line.length > 2) yield line.endsWith(",") ? line.slice(0, -1) : line;
  }
}

type Sizes = Readonly<Record<string, { readonly bytes: number; readonly checksum: string }>>;

interface Main {
  readonly mark: Mark;
  readonly checksum: string;
  readonly files: Sizes;
  readonly rows: readonly string[];
}

function readMain(path: string): Main | Damage {
  const text = readFileSync(path, "utf8");
  const lines = text.split("\n");
  const last = lines.at(-2) ?? "";
  const checked = text.slice(0, Math.max(0, text.length - last.length - 1));
  const checksum = createHash("sha256").update(checked).digest("hex");
  if (last !== `${checksumLead}${checksum}"}` || lines.at(-1) !== "") {
    return { path, line: damagedMainLine(lines), why: "the checksum does not match" };
  }
  const start = lines.indexOf(rowsLead);
  try {
    const head: unknown = JSON.parse(`${lines.slice(0, start).join("\n")}${rowsLead}]}`);
    const rows = lines.slice(start + 1, -4);
    const withoutCommas = rows.map((row) => (row.endsWith(",") ? row.slice(0, -1) : row));
    return { ...parseHead(head), checksum, rows: withoutCommas };
  } catch (error) {
    return { path, line: 1, why: (error as Error).message };
  }
}

/** The line of checkpoint.json whose checksum is another: the last two, if those before are whole. */
function damagedMainLine(lines: readonly string[]): number {
  const tableAt = lines.findLastIndex((line) => line.startsWith(linesLead));
  const rowsEnd = lines.lastIndexOf(rowsTail);
  // The table's own beginning is damaged: it is the line behind the rows, or the last but one.
  if (tableAt < 0) return rowsEnd < 0 ? Math.max(1, lines.length - 2) : rowsEnd + 2;
  const encoded = lines[tableAt]?.slice(linesLead.length + 9, -2) ?? "";
  if (lines[tableAt] !== ownTable(encoded)) return tableAt + 1;
  const expected = fromBase64(encoded);
  const bad = lines.findIndex((line, at) => at < tableAt && crc32(`${line}\n`) !== expected[at]);
  return bad < 0 ? tableAt + 2 : bad + 1;
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

/** Once checkpoint.json is whole under its temporary name, so are all the others. */
function finishOrRemove(folder: string): void {
  const left = readdirSync(folder).filter((name) => name.endsWith(`.json${temporary}`));
  if (left.length === 0) return;
  const names = left.map((name) => name.slice(0, -temporary.length));
  const isWhole = names.includes(main) && isComplete(folder, names);
  if (!isWhole) {
    for (const name of left) {
      // The other files of the folder have writers of their own.
      if (checkpointFiles.some((file) => file + temporary === name)) unlinkSync(join(folder, name));
    }
    return;
  }
  for (const name of names) {
    if (name !== main && checkpointFiles.some((file) => file === name)) {
      renameSync(...temporaryAndFinal(folder, name));
    }
  }
  renameSync(...temporaryAndFinal(folder, main));
  syncFolderNow(folder);
}

function isComplete(folder: string, left: readonly string[]): boolean {
  const read = readMain(join(folder, main + temporary));
  if ("why" in read) return false;
  return Object.entries(read.files).every(([name, size]) => {
    const path = join(folder, left.includes(name) ? name + temporary : name);
    return existsSync(path) && isAsWritten(path, size);
  });
}
