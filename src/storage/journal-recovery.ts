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

/** What the disk held when the journal was opened. */
export interface Found {
  /** The highest clock that was noted. */
  readonly clock: number;
  readonly events: number;
  /** Bytes of a torn tail that were cut off: no note says that they were synced. */
  readonly cutBytes: number;
  /** Rot in what was synced. With any, nothing may be appended. */
  readonly damages: readonly Damage[];
  /** Rot in files that only served peers that are behind; these files were given up. */
  readonly givenUp: readonly Damage[];
  /** The furthest events that the journal is known to have had, damaged or not. */
  readonly known: Heads;
  /** Whether events may have been lost that nothing names. */
  readonly isLossUnknown: boolean;
}

/** What a journal continues with. */
export interface Recovered {
  /** The files that peers can be served from, oldest first. */
  readonly files: JournalFile[];
  /** The file that a start from the saved state begins with; undefined for a new one. */
  readonly needed: JournalFile | undefined;
  readonly heads: Heads;
  /** The last file, open for writing; -1 if there is none. */
  readonly fd: number;
  readonly toReplay: { readonly bytes: number; readonly events: number };
  /** Whether all events before a new file are in the files before it. */
  readonly goesOn: boolean;
}

export interface RecoveryOptions {
  readonly folder: string;
  readonly digest: Digest;
  /** A file with this number, or a later one, existed when the journal was last in use. */
  readonly least?: number | undefined;
  /** Whether the saved state before it is damaged. Then the journal is read, and nothing more. */
  readonly afterDamage?: boolean;
}

/** Reads a journal's folder when a process starts, and mends what a crash left (J2). */
export class Recovery {
  readonly #options: RecoveryOptions;
  readonly #held: Heads;
  readonly #scan: Scan;
  #files: JournalFile[] = [];
  #bytes = 0;
  #fd = -1;

  /** @param held the last event of each server in the saved state */
  constructor(options: RecoveryOptions, held: Heads, onLine: (line: EventLine) => void) {
    this.#options = options;
    this.#held = held;
    const { digest, afterDamage = false } = options;
    this.#scan = new Scan({ digest, held, onLine, afterDamage });
  }

  /** @returns nothing recovered if the journal is damaged: nothing may be appended to it */
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
    // A saved state that came from a peer has events that are in no file.
    const goesOn = covers(vectorOf(written), held);
    const toReplay = { bytes: this.#bytes, events };
    const recovered = { files: this.#files, needed, heads, fd: this.#fd, toReplay, goesOn };
    return { found: { ...found, givenUp }, recovered };
  }

  /** @returns bytes of a torn tail that were cut off */
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
    // What followed a failed sync may be in memory alone: it is written again, then synced.
    writeAt(this.#fd, bytes.subarray(synced, end), synced);
    ftruncateSync(this.#fd, end);
    fdatasyncSync(this.#fd);
    return bytes.length - end;
  }

  /** Takes older files for peers that are behind, as far back as they are whole. */
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
 * A journal whose files are gone is damaged, not new: others were told of its events.
 * @param least a file with this number, or a later one, existed
 */
export function findMissing(folder: string, least: number | undefined): Damage[] {
  const names = existsSync(folder) ? journalNames(folder) : [];
  if (least === undefined || numberOf(names.at(-1) ?? "") >= least) return [];
  return [{ path: join(folder, nameOf(least)), line: 1, why: "it is missing" }];
}

/** The whole lines of a damaged journal. */
export function* readWholeLines(folder: string, digest: Digest): Generator<EventLine> {
  for (const name of journalNames(folder)) {
    for (const text of linesOf(join(folder, name))) {
      if (eventNamedBy(text) === undefined) continue;
      try {
        yield readLine(text, digest);
      } catch {
        // This line is damaged.
      }
    }
  }
}

export function headerOf(path: string, digest: Digest): Header | undefined {
  for (const line of linesOf(path)) return readHeader(line, digest);
  return undefined;
}
