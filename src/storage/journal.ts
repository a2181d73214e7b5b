import assert from "node:assert";
import {
  closeSync,
  existsSync,
  fdatasync,
  fdatasyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  unlinkSync,
  write,
  writeSync,
} from "node:fs";
import { open, unlink } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { crc32 } from "node:zlib";
import { errorCode } from "../platform/problem.ts";
import { type Digest, type EventLine, readLine } from "../protocol/event.ts";
import type { ServerName } from "../protocol/ids.ts";
import { durations, limits } from "../protocol/limits.ts";
import { type Head, type Heads, vectorOf } from "../protocol/mark.ts";
import { covers, type MutableVector, servers, type Vector } from "../protocol/vector.ts";
import type { Damage } from "./damage.ts";
import { ownerOnly } from "./file-modes.ts";
import { makeFolder, syncFolder } from "./folder.ts";
import {
  checksumText,
  eventNamedBy,
  type Header,
  isAsSealed,
  JournalFile,
  nameOf,
  numberOf,
  readHeader,
  writeHeader,
  writeNote,
} from "./journal-file.ts";
import { Scan } from "./journal-scan.ts";
import { linesOf } from "./line-file.ts";

const writeAt = promisify(write);
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
  /** Silence after which the end of the last batch is noted. */
  readonly idleMs?: number;
  /** Bytes of files that nobody needs to start from, kept for peers that are behind. */
  readonly keptBytes: number;
  /** A file with this number, or a later one, was there when it was closed or its process died. */
  readonly least?: number | undefined;
  /** Whether the saved state before it is damaged; then it is only read, not taken up. */
  readonly afterDamage?: boolean;
}

/** What the disk held when the journal was opened. */
export interface Found {
  /** The highest clock that was noted. */
  readonly clock: number;
  readonly events: number;
  /** Bytes of a tail that were cut off: nothing tells that they were synced, and so spoken of. */
  readonly cutBytes: number;
  /** Rot in what was synced. With any, nothing may be appended. */
  readonly damages: readonly Damage[];
  /** Rot in files that only served peers that are behind; they were given up. */
  readonly givenUp: readonly Damage[];
  /** The furthest events that are known to have been there, damaged or not. */
  readonly known: Heads;
  /** Whether something was lost of which it can't be told what it was. */
  readonly isLossUnknown: boolean;
}

/** New lines go to a new file from here on. */
interface Cut {
  /** Lines appended before it. */
  readonly at: number;
  done(): void;
}

/**
 * The events of all servers as they came, one a line, in files of 16 MiB. What waits is written
 * and synced in one go while the next lines gather (group commit). Each file begins with a header,
 * each batch with a note of where the last completed sync ended, which tells a torn tail from rot;
 * the last batch gets a note of its own when nothing follows it (J2).
 */
export class Journal {
  readonly #options: JournalOptions;
  /** Those that peers can be served from, the last one being written. */
  #files: JournalFile[] = [];
  readonly #heads: Record<ServerName, Head> = {};
  #fd = -1;
  #waiting: EventLine[] = [];
  #appended = 0;
  #written = 0;
  #cut: Cut | undefined;
  /** The file that a start from the saved state begins with. */
  #needed: JournalFile | undefined;
  /** In all files that a start from the saved state reads, and in those of them before the cut. */
  #toReplay = { bytes: 0, events: 0 };
  #beforeCut = { bytes: 0, events: 0 };
  #flushing = false;
  #scheduled = false;
  /** Set when a write or a sync failed: nothing is tried again (R2). */
  #failed = false;
  #closed = false;
  #idle: (() => void)[] = [];
  /** Whether the file tells that all of it was synced: nothing follows its header or last note. */
  #isNoted = false;
  /** Runs from the end of a flush, until the next one begins. */
  #silence: NodeJS.Timeout | undefined;
  #isNoteDue = false;

  private constructor(options: JournalOptions, heads: Heads) {
    this.#options = options;
    Object.assign(this.#heads, heads);
  }

  /**
   * Reads what a start from the saved state needs, gives each event behind `held` to `onLine`, cuts
   * off a torn tail, and syncs the rest again.
   * @param held what the saved state stands for
   */
  static async open(
    options: JournalOptions,
    held: Heads,
    onLine: (line: EventLine) => void,
  ): Promise<{ journal: Journal; found: Found }> {
    const journal = new Journal(options, held);
    return { journal, found: await journal.#recover(onLine) };
  }

  /** What a start from the saved state has to read. */
  get toReplay(): { readonly bytes: number; readonly events: number } {
    return { ...this.#toReplay };
  }

  /** Of the file that a start from the saved state begins with. */
  get firstNumber(): number {
    return numberOf(this.#needed?.path ?? "");
  }

  append(lines: readonly EventLine[]): void {
    for (const line of lines) this.#waiting.push(line);
    this.#appended += lines.length;
    if (lines.length > 0) this.#schedule();
  }

  /**
   * Begins a new file behind all that has been appended so far. One at a time.
   * @returns once all of that is on disk
   */
  cut(): Promise<void> {
    assert(this.#cut === undefined, "the journal is being cut already");
    return new Promise((resolve) => {
      this.#cut = { at: this.#appended, done: resolve };
      this.#schedule();
    });
  }

  /** A saved state stands for all before the last cut: what nobody needs any more is removed. */
  async release(): Promise<void> {
    this.#toReplay.bytes -= this.#beforeCut.bytes;
    this.#toReplay.events -= this.#beforeCut.events;
    const needed = this.#files.indexOf(this.#needed as JournalFile);
    let kept = 0;
    let first = needed;
    while (first > 0) {
      kept += this.#files[first - 1]?.bytes ?? 0;
      if (kept > this.#options.keptBytes) break;
      first -= 1;
    }
    this.#files = this.#files.slice(Math.max(0, first));
    const [oldest] = this.#files;
    for (const name of journalNames(this.#options.folder)) {
      const path = join(this.#options.folder, name);
      if (oldest !== undefined && path < oldest.path) await unlink(path);
    }
    await syncFolder(this.#options.folder);
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
    clearTimeout(this.#silence);
    if (this.#fd < 0) return;
    if (!this.#failed) await this.#noteEnd();
    closeSync(this.#fd);
    this.#fd = -1;
  }

  /**
   * Lines above `since` and up to `upTo`, in the order in which they came, so that each server's
   * are in order; at most 1,000 and about a megabyte.
   * @returns undefined if some of them are no longer here: the saved state stands for them
   */
  async read(since: Vector, upTo: Vector): Promise<{ lines: string[]; more: boolean } | undefined> {
    const [oldest] = this.#files;
    const next: MutableVector = {};
    for (const server of servers(upTo)) {
      const seq = (since[server] ?? 0) + 1;
      if (seq > (upTo[server] ?? 0)) continue;
      if (seq <= (oldest?.header.heads[server]?.seq ?? 0)) return undefined;
      next[server] = seq;
    }
    const lines: string[] = [];
    let room: number = limits.pageBytes;
    while (lines.length < limits.syncEvents && room > 0) {
      const start = this.#first(next);
      if (start === undefined) break;
      for (const line of await this.#linesAt(start.file, start.offset)) {
        if (lines.length >= limits.syncEvents || room <= 0) break;
        const name = eventNamedBy(line);
        if (name === undefined || next[name.server] !== name.seq) continue;
        lines.push(line);
        room -= 3 * line.length;
        if (name.seq === upTo[name.server]) delete next[name.server];
        else next[name.server] = name.seq + 1;
      }
    }
    return { lines, more: servers(next).length > 0 };
  }

  /** None, if the file was released meanwhile: then those wanted are in no file any more. */
  async #linesAt(file: JournalFile, offset: number): Promise<string[]> {
    try {
      return await linesAt(file, offset);
    } catch (error) {
      if (this.#files.includes(file)) throw error;
      return [];
    }
  }

  /** Where the first of the wanted events is. */
  #first(next: Vector): { file: JournalFile; offset: number } | undefined {
    for (const [index, file] of this.#files.entries()) {
      const end = this.#files[index + 1]?.header.heads ?? this.#heads;
      let offset = Number.POSITIVE_INFINITY;
      for (const server of servers(next)) {
        const seq = next[server] ?? 0;
        if (seq > (end[server]?.seq ?? 0)) continue;
        offset = Math.min(offset, file.offsetOf(server, seq) ?? Number.POSITIVE_INFINITY);
      }
      if (offset !== Number.POSITIVE_INFINITY) return { file, offset };
    }
    return undefined;
  }

  // ---- writing ----------------------------------------------------------------------------------

  /** What comes in the same turn of the loop shares the sync. */
  #schedule(): void {
    if (this.#flushing || this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      void this.#flush();
    });
  }

  async #flush(): Promise<void> {
    if (this.#flushing || this.#closed || this.#failed) return;
    this.#flushing = true;
    clearTimeout(this.#silence);
    try {
      if (this.#isNoteDue && this.#waiting.length === 0) await this.#noteEnd();
      this.#isNoteDue = false;
      for (;;) {
        const cut = this.#cut;
        if (cut?.at === this.#written) {
          this.#beforeCut = { ...this.#toReplay };
          await this.#beginFile({ goesOn: true });
          this.#needed = this.#files.at(-1);
          this.#cut = undefined;
          cut.done();
        }
        if (this.#waiting.length === 0) break;
        const most = this.#cut === undefined ? limits.batchLines : this.#cut.at - this.#written;
        const lines = this.#waiting.splice(0, Math.min(most, limits.batchLines));
        await this.#writeBatch(lines);
        this.#written += lines.length;
        this.#toReplay.events += lines.length;
        this.#options.onFlushed(lines.length);
      }
    } catch (error) {
      this.#failed = true;
      const path = this.#files.at(-1)?.path ?? this.#options.folder;
      const full = errorCode(error) === "ENOSPC" ? " The disk is full: free some space." : "";
      this.#options.onFailed(`${path} can't be written (${(error as Error).message}).${full}`);
      return;
    } finally {
      this.#flushing = false;
    }
    this.#awaitSilence();
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** The last batch of a server that is idle for hours must not pass for a torn tail (J2). */
  #awaitSilence(): void {
    if (this.#isNoted) return;
    this.#silence = setTimeout(() => {
      this.#isNoteDue = true;
      this.#schedule();
    }, this.#options.idleMs ?? durations.journalIdleMs).unref();
  }

  async #noteEnd(): Promise<void> {
    if (this.#isNoted) return;
    await this.#write([this.#note()]);
    this.#isNoted = true;
  }

  async #writeBatch(lines: readonly EventLine[]): Promise<void> {
    const most = this.#options.fileBytes ?? limits.journalFileBytes;
    if (this.#last.bytes >= most) await this.#beginFile({ goesOn: true });
    const file = this.#last;
    const texts = [this.#note(), ...lines.map(({ line }) => line)];
    let at = file.bytes + Buffer.byteLength(texts[0] as string) + 1;
    const places: number[] = [];
    for (const { line } of lines) {
      places.push(at);
      at += Buffer.byteLength(line) + 1;
    }
    this.#isNoted = false;
    await this.#write(texts);
    for (const [index, { event, chain }] of lines.entries()) {
      file.note(event.server, event.seq, places[index] as number);
      this.#heads[event.server] = { seq: event.seq, chain };
    }
  }

  get #last(): JournalFile {
    return this.#files.at(-1) as JournalFile;
  }

  #note(): string {
    const { bytes: synced, reached: vector } = this.#last;
    return writeNote({ synced, clock: this.#options.clock(), vector }, this.#options.digest);
  }

  /** Writes lines to the end of the last file and syncs them. */
  async #write(lines: readonly string[]): Promise<void> {
    const file = this.#last;
    const bytes = Buffer.from(`${lines.join("\n")}\n`);
    let written = 0;
    while (written < bytes.length) {
      const rest = bytes.length - written;
      const result = await writeAt(this.#fd, bytes, written, rest, file.bytes + written);
      written += result.bytesWritten;
    }
    await sync(this.#fd);
    file.bytes += bytes.length;
    file.checksum = crc32(bytes, file.checksum);
    this.#toReplay.bytes += bytes.length;
  }

  /** @param goesOn whether all events before it are in the files before it, or in none */
  async #beginFile({ goesOn }: { readonly goesOn: boolean }): Promise<void> {
    const { folder, digest, clock, least = 1 } = this.#options;
    const last = this.#files.at(-1);
    if (this.#fd >= 0) closeSync(this.#fd);
    const names = journalNames(folder);
    const number = Math.max(numberOf(names.at(-1) ?? "") + 1, least);
    const path = join(folder, nameOf(number));
    const previous =
      last === undefined || !goesOn
        ? undefined
        : { bytes: last.bytes, checksum: checksumText(last.checksum) };
    const header: Header = { heads: { ...this.#heads }, clock: clock(), previous };
    this.#fd = openSync(path, "wx+", ownerOnly);
    const file = new JournalFile(path);
    file.header = header;
    file.startIndex();
    if (!goesOn) this.#files = [];
    this.#files.push(file);
    await this.#write([writeHeader(header, digest)]);
    this.#isNoted = true;
    await syncFolder(folder);
  }

  // ---- recovery (J2) ------------------------------------------------------------------------------

  async #recover(onLine: (line: EventLine) => void): Promise<Found> {
    const { folder, digest } = this.#options;
    makeFolder(folder);
    const missing = findMissing(folder, this.#options.least);
    const held = vectorOf(this.#heads);
    const paths = journalNames(folder).map((name) => join(folder, name));
    const headers = paths.map((path) => headerOf(path, digest));
    const start = Math.max(
      0,
      headers.findLastIndex((header) => header && covers(held, vectorOf(header.heads))),
    );
    const { afterDamage = false } = this.#options;
    const scan = new Scan(digest, this.#heads, onLine, { afterDamage });
    let cutBytes = 0;
    for (const [at, path] of paths.entries()) {
      if (at >= start) cutBytes = this.#replay(scan, path, at === paths.length - 1);
    }
    const { clock, events, known } = scan;
    const damages = [...missing, ...scan.damages];
    const isLossUnknown = scan.isLossUnknown || missing.length > 0;
    const found = { clock, events, cutBytes, damages, known, isLossUnknown };
    if (damages.length > 0 || afterDamage) return { ...found, givenUp: [] };
    Object.assign(this.#heads, scan.heads);
    this.#toReplay.events = events;
    this.#needed = this.#files[0];
    const givenUp = this.#takeOlder(paths.slice(0, start), headers);
    // A saved state that came from a peer stands for events that are in no file.
    const goesOn = covers(vectorOf(scan.written), held);
    if (this.#fd < 0 || !goesOn) await this.#beginFile({ goesOn });
    this.#needed ??= this.#last;
    this.#awaitSilence();
    return { ...found, givenUp };
  }

  /** @returns bytes of a torn tail that were cut off */
  #replay(scan: Scan, path: string, isLast: boolean): number {
    const bytes = readFileSync(path);
    const file = new JournalFile(path);
    file.startIndex();
    const { header, end, synced } = scan.file(path, bytes, isLast, (line, offset) =>
      file.note(line.event.server, line.event.seq, offset),
    );
    if (scan.damages.length > 0 || this.#options.afterDamage) return 0;
    if (header === undefined) {
      unlinkSync(path);
      return bytes.length;
    }
    file.header = header;
    file.bytes = end;
    file.checksum = crc32(bytes.subarray(0, end));
    if (header.previous === undefined) this.#files = [];
    this.#files.push(file);
    this.#toReplay.bytes += end;
    if (!isLast) return 0;
    this.#fd = openSync(path, "r+");
    // What followed a failed sync may be in memory only: it is written again, then synced.
    rewrite(this.#fd, bytes.subarray(synced, end), synced);
    ftruncateSync(this.#fd, end);
    fdatasyncSync(this.#fd);
    return bytes.length - end;
  }

  /** Takes up older files for peers that are behind, as far back as they are whole. */
  #takeOlder(paths: readonly string[], headers: readonly (Header | undefined)[]): Damage[] {
    const { digest } = this.#options;
    for (let at = paths.length - 1; at >= 0; at -= 1) {
      const path = paths[at] as string;
      const previous = this.#files[0]?.header.previous;
      const header = headers[at];
      if (previous === undefined) return [];
      if (header === undefined || !isAsSealed(path, previous)) {
        const check = new Scan(digest, header?.heads ?? {}, () => {});
        check.file(path, readFileSync(path), false);
        for (const older of paths.slice(0, at + 1)) unlinkSync(older);
        const [damage = { path, line: 1, why: "it is not as it was sealed" }] = check.damages;
        return [damage];
      }
      const file = new JournalFile(path);
      file.header = header;
      file.bytes = previous.bytes;
      this.#files.unshift(file);
    }
    return [];
  }
}

/** Whole lines from an offset on, to the end of the chunk that is read or of the file. */
async function linesAt(file: JournalFile, offset: number): Promise<string[]> {
  // A line is at most a request's size and its frame, so a chunk holds one at least.
  const chunk = Buffer.allocUnsafe(Math.min(4 * limits.requestBytes, file.bytes - offset));
  await using handle = await open(file.path, "r");
  let bytes = 0;
  while (bytes < chunk.length) {
    const rest = chunk.length - bytes;
    const { bytesRead } = await handle.read(chunk, bytes, rest, offset + bytes);
    if (bytesRead === 0) break;
    bytes += bytesRead;
  }
  const end = chunk.lastIndexOf(0x0a, bytes - 1);
  return end < 0 ? [] : chunk.toString("utf8", 0, end).split("\n");
}

function rewrite(fd: number, bytes: Uint8Array, position: number): void {
  let written = 0;
  while (written < bytes.length) {
    written += writeSync(fd, bytes, written, bytes.length - written, position + written);
  }
}

/** The journal's files in a folder, oldest first. */
export function journalNames(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => /^\d{8}\.jsonl$/.test(name))
    .sort();
}

/**
 * A journal that is gone is no new one: what was in it was spoken of.
 * @param least the number of a file that was there, unless a later one was
 */
export function findMissing(folder: string, least: number | undefined): Damage[] {
  const names = existsSync(folder) ? journalNames(folder) : [];
  if (least === undefined || numberOf(names.at(-1) ?? "") >= least) return [];
  return [{ path: join(folder, nameOf(least)), line: 1, why: "it is missing" }];
}

/** The lines of a journal that are whole, whatever is damaged around them. */
export function* readWholeLines(folder: string, digest: Digest): Generator<EventLine> {
  for (const name of journalNames(folder)) {
    for (const text of linesOf(join(folder, name))) {
      if (eventNamedBy(text) === undefined) continue;
      try {
        yield readLine(text, digest);
      } catch {
        // It is what is damaged.
      }
    }
  }
}

function headerOf(path: string, digest: Digest): Header | undefined {
  for (const line of linesOf(path)) return readHeader(line, digest);
  return undefined;
}
