import {
  existsSync,
  fdatasyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  unlinkSync,
} from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { writeAt } from "../platform/folder.ts";
import { type Digest, type EventLine, readLine } from "../protocol/event.ts";
import { type Heads, vectorOf } from "../protocol/mark.ts";
import { covers } from "../protocol/vector.ts";
import type { Damage } from "./damage.ts";
import {
  eventNamedBy,
  type Header,
  isAsSealed,
  JournalFile,
  journalNames,
  nameOf,
  numberOf,
  readHeader,
} from "./journal-file.ts";
import { Scan } from "./journal-scan.ts";
import { linesOf } from "./line-file.ts";

/** What a start has found in the journal. */
export interface Found {
  /** The highest clock in a header or sync note. */
  readonly clock: number;
  readonly events: number;
  /** Bytes of a torn tail that were cut off; no sync note says that these bytes were synced. */
  readonly cutBytes: number;
  /** Rot in synced data. If there is any, the journal must not be appended to. */
  readonly damages: readonly Damage[];
  /** Rot in files that only peers would have needed. The recovery has removed these files. */
  readonly givenUp: readonly Damage[];
  /** For each server, the newest event that the journal is known to have had, damaged or not. */
  readonly known: Heads;
  /** Whether events may be lost that nobody can name, because their only record is damaged. */
  readonly isLossUnknown: boolean;
}

/** The state with which a journal continues after recovery. */
export interface Recovered {
  /** The files from which peers can get events, oldest first. */
  readonly files: JournalFile[];
  /**
   * The first file that a start must read in addition to the saved state; undefined if a new file
   * must be begun.
   */
  readonly needed: JournalFile | undefined;
  readonly heads: Heads;
  /** The descriptor of the last file, open for writing; -1 without a file. */
  readonly fd: number;
  readonly toReplay: { readonly bytes: number; readonly events: number };
  /** Whether a new file would continue the existing files: no event lies between them. */
  readonly goesOn: boolean;
}

export interface RecoveryOptions {
  readonly folder: string;
  readonly digest: Digest;
  /**
   * The lowest number that the journal's last file may have, as an earlier run of the process saved
   * it.
   */
  readonly least?: number | undefined;
  /** Whether the saved state is damaged. If so, the journal is only read, not changed. */
  readonly afterDamage?: boolean;
}

/** Reads a journal's folder at the start of a process, and repairs the effects of a crash (J2). */
export class Recovery {
  readonly #options: RecoveryOptions;
  readonly #held: Heads;
  readonly #scan: Scan;
  #files: JournalFile[] = [];
  #bytes = 0;
  #fd = -1;

  /** @param held the newest event of each server in the saved state */
  constructor(options: RecoveryOptions, held: Heads, onLine: (line: EventLine) => void) {
    this.#options = options;
    this.#held = held;
    const { digest, afterDamage = false } = options;
    this.#scan = new Scan({ digest, held, onLine, afterDamage });
  }

  /**
   * @returns `recovered` is undefined if the journal or the saved state is damaged, because nothing
   * must then be appended
   */
  run(): { readonly found: Found; readonly recovered: Recovered | undefined } {
    const { folder, digest, least, afterDamage = false } = this.#options;
    const missing = findMissing(folder, least);
    const held = vectorOf(this.#held);
    const paths = journalNames(folder).map((name) => join(folder, name));
    const headers = paths.map((path) => headerOf(path, digest));
    const start = Math.max(
      0,
      headers.findLastIndex((header) => header && covers(held, vectorOf(header.heads))),
    );
    let cutBytes = 0;
    for (const [at, path] of paths.entries()) {
      if (at >= start) cutBytes = this.#replay(path, at === paths.length - 1);
    }
    const { clock, events, known, heads, written } = this.#scan;
    const damages = [...missing, ...this.#scan.damages];
    const isLossUnknown = this.#scan.isLossUnknown || missing.length > 0;
    const found = { clock, events, cutBytes, damages, known, isLossUnknown };
    if (damages.length > 0 || afterDamage) {
      return { found: { ...found, givenUp: [] }, recovered: undefined };
    }
    const [needed] = this.#files;
    const givenUp = this.#takeOlder(paths.slice(0, start), headers);
    // A saved state that was fetched from a peer may have events that are in no journal file. A new
    // file then does not continue the existing files.
    const goesOn = covers(vectorOf(written), held);
    const toReplay = { bytes: this.#bytes, events };
    const recovered = { files: this.#files, needed, heads, fd: this.#fd, toReplay, goesOn };
    return { found: { ...found, givenUp }, recovered };
  }

  /** @returns the bytes of a torn tail that were cut off */
  #replay(path: string, isLast: boolean): number {
    const bytes = readFileSync(path);
    const file = new JournalFile(path);
    file.startIndex();
    const { header, end, synced } = this.#scan.file({ path, bytes, isLast }, (line, offset) =>
      file.note(line.event.server, line.event.seq, offset),
    );
    if (this.#scan.damages.length > 0 || this.#options.afterDamage) return 0;
    if (header === undefined) {
      unlinkSync(path);
      return bytes.length;
    }
    file.header = header;
    file.bytes = end;
    file.checksum = crc32(bytes.subarray(0, end));
    if (header.previous === undefined) this.#files = [];
    this.#files.push(file);
    this.#bytes += end;
    if (!isLast) return 0;
    this.#fd = openSync(path, "r+");
    // If the last sync of an earlier process failed, the data of that sync may be only in memory,
    // and a second sync would not write the data to disk. So the data is written again, then
    // synced.
    writeAt(this.#fd, bytes.subarray(synced, end), synced);
    ftruncateSync(this.#fd, end);
    fdatasyncSync(this.#fd);
    return bytes.length - end;
  }

  /**
   * Keeps older files for peers that miss events, until it comes to a damaged file; removes that
   * file and all files before it.
   */
  #takeOlder(paths: readonly string[], headers: readonly (Header | undefined)[]): Damage[] {
    const { digest } = this.#options;
    for (let at = paths.length - 1; at >= 0; at -= 1) {
      const path = paths[at] as string;
      const previous = this.#files[0]?.header.previous;
      const header = headers[at];
      if (previous === undefined) return [];
      if (header === undefined || !isAsSealed(path, previous)) {
        const check = new Scan({ digest, held: header?.heads ?? {}, onLine: () => {} });
        check.file({ path, bytes: readFileSync(path), isLast: false });
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

/**
 * Reports damage if the journal's last files are missing. If `least` is set, the folder has had a
 * journal before, and other processes may know its events. So a journal without files is then
 * damaged, not new.
 * @param least the lowest number that the last file may have
 */
export function findMissing(folder: string, least: number | undefined): Damage[] {
  const names = existsSync(folder) ? journalNames(folder) : [];
  if (least === undefined || numberOf(names.at(-1) ?? "") >= least) return [];
  return [{ path: join(folder, nameOf(least)), line: 1, why: "it is missing" }];
}

/** Returns the undamaged event lines of a damaged journal. */
export function* readWholeLines(folder: string, digest: Digest): Generator<EventLine> {
  for (const name of journalNames(folder)) {
    for (const text of linesOf(join(folder, name))) {
      if (eventNamedBy(text) === undefined) continue;
      try {
        yield readLine(text, digest);
      } catch {
        // The line is damaged and left out.
      }
    }
  }
}

export function headerOf(path: string, digest: Digest): Header | undefined {
  for (const line of linesOf(path)) return readHeader(path, line, digest);
  return undefined;
}
