import assert from "node:assert";
import { closeSync, fdatasync, openSync, write } from "node:fs";
import { unlink } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { crc32 } from "node:zlib";
import { now } from "../platform/clock.ts";
import { makeFolder, ownerOnly, syncFolder } from "../platform/folder.ts";
import { unwritable } from "../platform/problem.ts";
import type { EventLine } from "../protocol/event.ts";
import { durations, limits } from "../protocol/limits.ts";
import type { Heads } from "../protocol/mark.ts";
import type { Vector } from "../protocol/vector.ts";
import {
  checksumText,
  type Header,
  JournalFile,
  journalNames,
  nameOf,
  numberOf,
  writeHeader,
  writeNote,
} from "./journal-file.ts";
import { type Held, readLines } from "./journal-read.ts";
import { type Found, type Recovered, Recovery, type RecoveryOptions } from "./journal-recovery.ts";

const writeAt = promisify(write);
const sync = promisify(fdatasync);

export interface JournalOptions extends RecoveryOptions {
  /**
   * Returns the Lamport clock. Each sync note contains the clock, so that the clock survives a
   * crash (R7).
   */
  readonly clock: () => number;
  /**
   * Called when the next `count` appended lines are on disk. @param seconds for writing and syncing
   * them
   */
  readonly onFlushed: (count: number, seconds: number) => void;
  /** Called when a write or a sync has failed: the process must end at once (R2). */
  readonly onFailed: (problem: string) => void;
  readonly fileBytes?: number;
  /**
   * Milliseconds without a write after which the journal writes a sync note about the last batch.
   */
  readonly idleMs?: number;
  /**
   * Bytes of files to keep for peers that miss events, in addition to the files that a start needs.
   */
  readonly keptBytes: number;
}

/** A call of `cut` that is not finished. */
interface Cut {
  /** The number of lines that were appended to the journal before `cut` was called. */
  readonly at: number;
  done(): void;
}

/**
 * The events of all servers in the order of arrival, one per line, in files of 16 MiB. Waiting
 * lines are written and synced together; lines that arrive during a sync wait for the next one
 * (group commit). Each file begins with a header. Each batch begins with a sync note that says
 * where the last completed sync ended, which distinguishes a torn tail from rot. If no batch
 * follows, a separate sync note is written for the last batch (J2).
 */
export class Journal {
  readonly #options: JournalOptions;
  readonly #held: Held;
  #fd = -1;
  #waiting: EventLine[] = [];
  #appended = 0;
  #written = 0;
  #cut: Cut | undefined;
  /** The first file that a start must read in addition to the saved state. */
  #needed: JournalFile | undefined;
  /** The bytes and events that a start must read in addition to the saved state. */
  #toReplay = { bytes: 0, events: 0 };
  /** The part of `#toReplay` that was in the journal at the last call of `cut`. */
  #beforeCut = { bytes: 0, events: 0 };
  #flushing = false;
  #scheduled = false;
  /** Whether a write or a sync has failed. After a failure the journal writes nothing more (R2). */
  #failed = false;
  #closed = false;
  #idle: (() => void)[] = [];
  /** Whether the file's last line is its header, or a sync note about all data before the note. */
  #isNoted = false;
  /** The timer of the pause after a flush; the next flush stops the timer. */
  #silence: NodeJS.Timeout | undefined;
  #isNoteDue = false;

  private constructor(options: JournalOptions, heads: Heads) {
    this.#options = options;
    this.#held = { files: [], heads: { ...heads } };
  }

  /**
   * Opens a journal: passes each event above `held` to `onLine`, cuts off a torn tail, and syncs
   * the rest again.
   * @param held the newest event of each server in the saved state
   */
  static async open(
    options: JournalOptions,
    held: Heads,
    onLine: (line: EventLine) => void,
  ): Promise<{ journal: Journal; found: Found }> {
    makeFolder(options.folder);
    const { found, recovered } = new Recovery(options, held, onLine).run();
    const journal = new Journal(options, recovered?.heads ?? held);
    if (recovered !== undefined) await journal.#goOn(recovered);
    return { journal, found };
  }

  async #goOn({ files, needed, fd, toReplay, goesOn }: Recovered): Promise<void> {
    this.#held.files = files;
    this.#fd = fd;
    this.#toReplay = { ...toReplay };
    this.#needed = needed;
    if (fd < 0 || !goesOn) await this.#beginFile({ goesOn });
    this.#needed ??= this.#last;
    this.#awaitSilence();
  }

  /** The bytes and events that a start must read in addition to the saved state. */
  get toReplay(): { readonly bytes: number; readonly events: number } {
    return { ...this.#toReplay };
  }

  /** The number of the first file that a start must read in addition to the saved state. */
  get firstNumber(): number {
    return numberOf(this.#needed?.path ?? "");
  }

  append(lines: readonly EventLine[]): void {
    for (const line of lines) this.#waiting.push(line);
    this.#appended += lines.length;
    if (lines.length > 0) this.#schedule();
  }

  /**
   * Begins a new file after all lines appended so far. Only one call at a time is allowed.
   * @returns a promise that resolves when these lines are on disk
   */
  cut(): Promise<void> {
    assert(this.#cut === undefined, "the journal is being cut already");
    return new Promise((resolve) => {
      this.#cut = { at: this.#appended, done: resolve };
      this.#schedule();
    });
  }

  /**
   * Removes files that no start needs, except the newest `keptBytes`, and at least one file, which
   * are kept for peers. The caller must have saved a state with all lines that were appended before the last call of `cut`.
   */
  async release(): Promise<void> {
    this.#toReplay.bytes -= this.#beforeCut.bytes;
    this.#toReplay.events -= this.#beforeCut.events;
    const needed = this.#held.files.indexOf(this.#needed as JournalFile);
    let kept = 0;
    let first = needed;
    while (first > 0) {
      kept += this.#held.files[first - 1]?.bytes ?? 0;
      // One older file stays in any case, or a peer that lacks a few events would need a state.
      if (kept > this.#options.keptBytes && first < needed) break;
      first -= 1;
    }
    this.#held.files = this.#held.files.slice(Math.max(0, first));
    const [oldest] = this.#held.files;
    for (const name of journalNames(this.#options.folder)) {
      const path = join(this.#options.folder, name);
      if (oldest !== undefined && path < oldest.path) await unlink(path);
    }
    await syncFolder(this.#options.folder);
  }

  /**
   * Waits for the last flush and writes a sync note about it, so that a clean stop leaves no data
   * that looks like a torn tail.
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

  read(since: Vector, upTo: Vector): ReturnType<typeof readLines> {
    return readLines(this.#held, since, upTo);
  }

  /** Schedules a flush, so that lines appended in one turn of the event loop share a sync. */
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
          this.#needed = this.#held.files.at(-1);
          this.#cut = undefined;
          cut.done();
        }
        if (this.#waiting.length === 0) break;
        const most = this.#cut === undefined ? limits.batchLines : this.#cut.at - this.#written;
        const lines = this.#waiting.splice(0, Math.min(most, limits.batchLines));
        const startMs = now().steadyMs;
        await this.#writeBatch(lines);
        this.#written += lines.length;
        this.#toReplay.events += lines.length;
        this.#options.onFlushed(lines.length, (now().steadyMs - startMs) / 1_000);
      }
    } catch (error) {
      this.#failed = true;
      const path = this.#held.files.at(-1)?.path ?? this.#options.folder;
      this.#options.onFailed(unwritable(path, error));
      return;
    } finally {
      this.#flushing = false;
    }
    this.#awaitSilence();
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /**
   * Starts the pause after which a sync note about the last batch is written. Otherwise that batch
   * would look like a torn tail while the server is idle (J2).
   */
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
      this.#held.heads[event.server] = { seq: event.seq, chain };
    }
  }

  get #last(): JournalFile {
    return this.#held.files.at(-1) as JournalFile;
  }

  #note(): string {
    const { bytes: synced, reached: vector } = this.#last;
    return writeNote({ synced, clock: this.#options.clock(), vector }, this.#options.digest);
  }

  /** Writes lines at the end of the last file and syncs them. */
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

  /** @param goesOn whether the files before the new file contain all earlier events */
  async #beginFile({ goesOn }: { readonly goesOn: boolean }): Promise<void> {
    const { folder, digest, clock, least = 1 } = this.#options;
    const last = this.#held.files.at(-1);
    if (this.#fd >= 0) closeSync(this.#fd);
    const names = journalNames(folder);
    const number = Math.max(numberOf(names.at(-1) ?? "") + 1, least);
    const path = join(folder, nameOf(number));
    const seal = last && { bytes: last.bytes, checksum: checksumText(last.checksum) };
    const previous = goesOn ? seal : undefined;
    const header: Header = { heads: { ...this.#held.heads }, clock: clock(), previous };
    this.#fd = openSync(path, "wx+", ownerOnly);
    const file = new JournalFile(path);
    file.header = header;
    file.startIndex();
    if (!goesOn) this.#held.files = [];
    this.#held.files.push(file);
    await this.#write([writeHeader(header, digest)]);
    this.#isNoted = true;
    await syncFolder(folder);
  }
}
