import {
  close,
  closeSync,
  fdatasync,
  fdatasyncSync,
  ftruncateSync,
  open,
  openSync,
  read,
  readdirSync,
  readFileSync,
  write,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { errorCode } from "../platform/problem.ts";
import type { Digest, EventLine } from "../protocol/event.ts";
import type { ServerName } from "../protocol/ids.ts";
import { limits } from "../protocol/limits.ts";
import { type MutableVector, servers, type Vector } from "../protocol/vector.ts";
import { makeFolder, syncFolder } from "./folder.ts";
import { Scan, writeNote } from "./journal-scan.ts";

const writeAt = promisify(write);
const readAt = promisify(read);
const openFile = promisify(open);
const closeFile = promisify(close);
const sync = promisify(fdatasync);

export interface JournalOptions {
  readonly folder: string;
  readonly digest: Digest;
  /** The Lamport clock to note with each batch, so that it survives a crash (R7). */
  readonly clock: () => number;
  /** The next `count` appended lines are on disk. */
  readonly onFlushed: (count: number) => void;
  /** A write or a sync failed: the process must end at once (R2). */
  readonly onFailed: (problem: string) => void;
  readonly fileBytes?: number;
}

/** What the disk held when the journal was opened. */
export interface Recovered {
  /** The highest clock that a batch noted. */
  readonly clock: number;
  readonly events: number;
  /** Bytes of a torn tail that were cut off: never synced, so never spoken of. */
  readonly cutBytes: number;
}

interface JournalFile {
  readonly path: string;
  /** Where the file begins in the journal as a whole. */
  readonly start: number;
  bytes: number;
}

/** Where the lines of one server are, by `seq` from 1. */
class Positions {
  #places = new Float64Array(1_024);
  count = 0;

  push(place: number): void {
    if (this.count === this.#places.length) {
      const larger = new Float64Array(2 * this.count);
      larger.set(this.#places);
      this.#places = larger;
    }
    this.#places[this.count] = place;
    this.count += 1;
  }

  of(seq: number): number {
    return this.#places[seq - 1] ?? Number.POSITIVE_INFINITY;
  }
}

/**
 * The events of all servers as they came, one a line, in files of 16 MiB. What waits is written
 * and synced in one go while the next lines gather (group commit). Each batch begins with a line
 * that notes where the last completed sync ended, which tells a torn tail from rot (J2):
 *
 *     {"synced":<bytes of this file>,"clock":<n>,"crc":"<8 hex>"}
 */
export class Journal {
  readonly #options: JournalOptions;
  readonly #files: JournalFile[] = [];
  readonly #positions = new Map<ServerName, Positions>();
  #fd = -1;
  #waiting: EventLine[] = [];
  #flushing = false;
  #scheduled = false;
  /** Set when a write or a sync failed: nothing is tried again (R2). */
  #failed = false;
  #closed = false;
  #idle: (() => void)[] = [];

  private constructor(options: JournalOptions) {
    this.#options = options;
  }

  /**
   * Reads what is there, gives each event to `onLine`, cuts off a torn tail, and syncs the rest
   * again.
   * @throws Problem that names file and line, if what was synced is damaged
   */
  static open(
    options: JournalOptions,
    onLine: (line: EventLine) => void,
  ): { journal: Journal; recovered: Recovered } {
    const journal = new Journal(options);
    const recovered = journal.#recover(onLine);
    return { journal, recovered };
  }

  /** Bytes in all files. */
  get bytes(): number {
    const last = this.#files.at(-1);
    return last === undefined ? 0 : last.start + last.bytes;
  }

  append(lines: readonly EventLine[]): void {
    for (const line of lines) this.#waiting.push(line);
    if (this.#flushing || this.#scheduled || this.#waiting.length === 0) return;
    // What comes in the same turn of the loop shares the sync.
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      void this.#flush();
    });
  }

  /**
   * Waits for the last flush, notes it, and closes the file: after a clean stop nothing is taken for
   * a torn tail.
   */
  async close(): Promise<void> {
    while (this.#flushing || (this.#waiting.length > 0 && !this.#failed)) {
      await new Promise<void>((resolve) => this.#idle.push(resolve));
    }
    this.#closed = true;
    if (this.#fd < 0) return;
    if (!this.#failed) await this.#noteEnd();
    await closeFile(this.#fd);
  }

  /**
   * Lines above `since` and up to `upTo`, in the order in which they came, so that each server's
   * are in order; at most 1,000 and about a megabyte.
   */
  async read(since: Vector, upTo: Vector): Promise<{ lines: string[]; more: boolean }> {
    const next: MutableVector = {};
    for (const server of servers(upTo)) {
      const seq = (since[server] ?? 0) + 1;
      if (seq <= (upTo[server] ?? 0)) next[server] = seq;
    }
    const lines: string[] = [];
    let room: number = limits.pageBytes;
    while (lines.length < limits.syncEvents && room > 0) {
      const start = this.#first(next);
      if (start === Number.POSITIVE_INFINITY) return { lines, more: false };
      for (const line of await this.#linesAt(start)) {
        if (lines.length >= limits.syncEvents || room <= 0) break;
        const name = nameOfLine(line);
        if (name === undefined || next[name.server] !== name.seq) continue;
        lines.push(line);
        room -= 3 * line.length;
        if (name.seq === upTo[name.server]) delete next[name.server];
        else next[name.server] = name.seq + 1;
      }
    }
    return { lines, more: servers(next).length > 0 };
  }

  #first(next: Vector): number {
    let first = Number.POSITIVE_INFINITY;
    for (const server of servers(next)) {
      const place = this.#positions.get(server)?.of(next[server] ?? 0);
      if (place !== undefined) first = Math.min(first, place);
    }
    return first;
  }

  /** Whole lines from a place on, to the end of the chunk that was read or of the file. */
  async #linesAt(place: number): Promise<string[]> {
    const file = this.#files.findLast(({ start }) => start <= place);
    if (file === undefined) return [];
    const offset = place - file.start;
    // A line is at most a request's size and its frame, so a chunk holds one at least.
    const chunk = Buffer.allocUnsafe(Math.min(4 * limits.requestBytes, file.bytes - offset));
    const fd = await openFile(file.path, "r");
    try {
      let bytes = 0;
      while (bytes < chunk.length) {
        const result = await readAt(fd, chunk, bytes, chunk.length - bytes, offset + bytes);
        if (result.bytesRead === 0) break;
        bytes += result.bytesRead;
      }
      const end = chunk.lastIndexOf(0x0a, bytes - 1);
      return end < 0 ? [] : chunk.toString("utf8", 0, end).split("\n");
    } finally {
      await closeFile(fd);
    }
  }

  // ---- writing ----------------------------------------------------------------------------------

  async #flush(): Promise<void> {
    if (this.#flushing || this.#closed || this.#failed) return;
    this.#flushing = true;
    try {
      while (this.#waiting.length > 0) {
        const lines = this.#waiting.splice(0, limits.batchLines);
        await this.#writeBatch(lines);
        this.#options.onFlushed(lines.length);
      }
    } catch (error) {
      this.#failed = true;
      const path = this.#files.at(-1)?.path;
      const full = errorCode(error) === "ENOSPC" ? " The disk is full: free some space." : "";
      this.#options.onFailed(`${path} can't be written (${(error as Error).message}).${full}`);
      return;
    } finally {
      this.#flushing = false;
    }
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #writeBatch(lines: readonly EventLine[]): Promise<void> {
    const file = this.#currentFile();
    const note = writeNote(file.bytes, this.#options.clock(), this.#options.digest);
    let at = file.start + file.bytes + Buffer.byteLength(note) + 1;
    const places: number[] = [];
    const texts: string[] = [note];
    for (const { line } of lines) {
      places.push(at);
      texts.push(line);
      at += Buffer.byteLength(line) + 1;
    }
    texts.push("");
    const bytes = Buffer.from(texts.join("\n"));
    let written = 0;
    while (written < bytes.length) {
      const rest = bytes.length - written;
      const result = await writeAt(this.#fd, bytes, written, rest, file.bytes + written);
      written += result.bytesWritten;
    }
    await sync(this.#fd);
    file.bytes += bytes.length;
    for (const [index, { event }] of lines.entries()) {
      this.#positionsOf(event.server).push(places[index] as number);
    }
  }

  async #noteEnd(): Promise<void> {
    const file = this.#files.at(-1);
    if (file === undefined) return;
    const note = writeNote(file.bytes, this.#options.clock(), this.#options.digest);
    const { bytesWritten } = await writeAt(this.#fd, `${note}\n`, file.bytes);
    await sync(this.#fd);
    file.bytes += bytesWritten;
  }

  #currentFile(): JournalFile {
    const last = this.#files.at(-1);
    const most = this.#options.fileBytes ?? limits.journalFileBytes;
    if (last !== undefined && last.bytes < most) return last;
    if (this.#fd >= 0) closeSync(this.#fd);
    const number = last === undefined ? 1 : numberOf(last.path) + 1;
    const path = join(this.#options.folder, `${String(number).padStart(8, "0")}.jsonl`);
    this.#fd = openSync(path, "wx+");
    syncFolder(this.#options.folder);
    const file = { path, start: this.bytes, bytes: 0 };
    this.#files.push(file);
    return file;
  }

  #positionsOf(server: ServerName): Positions {
    let positions = this.#positions.get(server);
    if (positions === undefined) {
      positions = new Positions();
      this.#positions.set(server, positions);
    }
    return positions;
  }

  // ---- recovery (J2) ------------------------------------------------------------------------------

  #recover(onLine: (line: EventLine) => void): Recovered {
    const { folder } = this.#options;
    makeFolder(folder);
    const names = readdirSync(folder)
      .filter((name) => /^\d{8}\.jsonl$/.test(name))
      .sort();
    const scan = new Scan(this.#options.digest, onLine, (server, place) =>
      this.#positionsOf(server).push(place),
    );
    let cutBytes = 0;
    for (const [index, name] of names.entries()) {
      const path = join(folder, name);
      const bytes = readFileSync(path);
      const found = scan.file(path, bytes, this.bytes, index === names.length - 1);
      this.#files.push({ path, start: this.bytes, bytes: found.end });
      if (index < names.length - 1) continue;
      cutBytes = bytes.length - found.end;
      this.#fd = openSync(path, "r+");
      // What followed a failed sync may be in memory only: it is written again, then synced.
      rewrite(this.#fd, bytes.subarray(found.synced, found.end), found.synced);
      ftruncateSync(this.#fd, found.end);
      fdatasyncSync(this.#fd);
    }
    return { clock: scan.clock, events: scan.events, cutBytes };
  }
}

function rewrite(fd: number, bytes: Uint8Array, position: number): void {
  let written = 0;
  while (written < bytes.length) {
    written += writeSync(fd, bytes, written, bytes.length - written, position + written);
  }
}

function numberOf(path: string): number {
  return Number(path.slice(-"00000000.jsonl".length, -".jsonl".length));
}

const linePattern = /^\{"event":\{"server":"(server_[0-9a-f]{8})","seq":(\d+),/;

function nameOfLine(line: string): { server: ServerName; seq: number } | undefined {
  const [, server, seq] = linePattern.exec(line) ?? [];
  return server === undefined ? undefined : { server: server as ServerName, seq: Number(seq) };
}
