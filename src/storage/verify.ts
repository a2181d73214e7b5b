import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Problem } from "../platform/problem.ts";
import type { Digest, EventLine } from "../protocol/event.ts";
import { fieldsOf } from "../protocol/fields.ts";
import { emptyChain } from "../protocol/ids.ts";
import { parseClock } from "../protocol/lamport-clock.ts";
import { furthest, type Heads, headsOf, type Mark, vectorOf } from "../protocol/mark.ts";
import { covers, lag, type Vector } from "../protocol/vector.ts";
import { readCheckpoint } from "./checkpoint.ts";
import type { Damage } from "./damage.ts";
import { checkFormat } from "./file-format.ts";
import { journalNames } from "./journal-file.ts";
import { findMissing, headerOf } from "./journal-recovery.ts";
import { Scan } from "./journal-scan.ts";

export interface Verified {
  readonly folder: string;
  /** The numbers of events in the saved state and in the journal. */
  readonly savedEvents: number;
  readonly journalEvents: number;
  /** For each server, the newest event in the folder. */
  readonly vector: Vector;
  /** Bytes of a torn tail of the journal, which the next start would cut off. */
  readonly tornBytes: number;
  readonly damages: readonly Damage[];
}

/**
 * Returns the folders of all servers in a data folder. If `folder` is the folder of one server,
 * returns only it.
 */
export function serverFolders(folder: string): string[] {
  if (existsSync(join(folder, "identity.json"))) return [folder];
  const slots = existsSync(join(folder, "servers")) ? join(folder, "servers") : folder;
  if (!existsSync(slots)) return [];
  return readdirSync(slots)
    .filter((name) => /^\d+$/.test(name) && existsSync(join(slots, name, "identity.json")))
    .sort((a, b) => Number(a) - Number(b))
    .map((name) => join(slots, name));
}

/**
 * Checks the checksums, chains and gaps of a server's folder; changes no file (J5).
 * @throws Problem if a newer version of the program has written a file
 */
export function verifyFolder(folder: string, digest: Digest): Verified {
  const damages = ["identity.json", "promises.json"].flatMap((name) => {
    return checkJson(join(folder, name));
  });
  if (damages.length === 0) damages.push(...findMissing(join(folder, "journal"), leastOf(folder)));
  const own = readCheckpoint(folder);
  const fetched = readCheckpoint(join(folder, "snapshot"));
  damages.push(...own.damages, ...fetched.damages);
  const marks = [own.checkpoint?.mark, fetched.checkpoint?.mark].filter((mark) => mark);
  const journal = new JournalCheck(join(folder, "journal"), marks as Mark[], digest);
  const isStateDamaged = own.damages.length + fetched.damages.length > 0;
  journal.run(isStateDamaged);
  damages.push(...journal.damages);
  return {
    folder,
    savedEvents: lag({}, own.checkpoint?.mark.vector ?? {}),
    journalEvents: journal.events,
    vector: vectorOf(journal.heads),
    tornBytes: journal.tornBytes,
    damages,
  };
}

/**
 * Returns the lowest number that the journal's last file may have, from `promises.json`; undefined
 * if `promises.json` has no such number.
 */
function leastOf(folder: string): number | undefined {
  const path = join(folder, "promises.json");
  const promises: unknown = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : {};
  return parseClock(fieldsOf(promises).journal);
}

function checkJson(path: string): Damage[] {
  if (!existsSync(path)) return [];
  try {
    checkFormat(path, JSON.parse(readFileSync(path, "utf8")));
    return [];
  } catch (error) {
    if (error instanceof Problem) throw error;
    return [{ path, line: 1, why: (error as Error).message }];
  }
}

/** Checks all journal files, including the files that are kept only for peers. */
class JournalCheck {
  readonly damages: Damage[] = [];
  events = 0;
  tornBytes = 0;
  heads: Heads = {};
  readonly #folder: string;
  readonly #marks: readonly Mark[];
  readonly #digest: Digest;

  constructor(folder: string, marks: readonly Mark[], digest: Digest) {
    this.#folder = folder;
    this.#marks = marks;
    this.#digest = digest;
  }

  run(isStateDamaged: boolean): void {
    const paths = existsSync(this.#folder)
      ? journalNames(this.#folder).map((name) => join(this.#folder, name))
      : [];
    const saved = this.#marks.map(headsOf).reduce(furthest, {});
    this.heads = saved;
    let scan: Scan | undefined;
    let isReachable = isStateDamaged;
    for (const [at, path] of paths.entries()) {
      const bytes = readFileSync(path);
      const header = headerOf(path, this.#digest);
      // This file does not continue the previous file, because the events between the two files are
      // only in the saved state.
      if (scan === undefined || header?.previous === undefined) {
        this.#take(scan);
        scan = new Scan({
          digest: this.#digest,
          held: header?.heads ?? {},
          onLine: (line) => this.#compare(path, line),
        });
      }
      if (header !== undefined) isReachable ||= covers(vectorOf(saved), vectorOf(header.heads));
      const { end } = scan.file({ path, bytes, isLast: at === paths.length - 1 });
      this.tornBytes = bytes.length - end;
    }
    this.#take(scan);
    if (paths.length > 0 && !isReachable && this.damages.length === 0) {
      const why = "what lies before it is neither in a saved state nor in another file";
      this.damages.push({ path: paths[0] as string, line: 1, why });
    }
  }

  #take(scan: Scan | undefined): void {
    if (scan === undefined) return;
    this.damages.push(...scan.damages);
    this.events += scan.events;
    this.heads = furthest(this.heads, scan.heads);
  }

  /**
   * Reports an event of the journal whose chain differs from the chain that a saved state's mark
   * has for this event.
   */
  #compare(path: string, { event: { server, seq }, chain }: EventLine): void {
    for (const { vector, chains } of this.#marks) {
      if (vector[server] !== seq || (chains[server] ?? emptyChain) === chain) continue;
      const why = `${server} ${seq} is another event than the saved state stands for`;
      this.damages.push({ path, line: 1, why });
    }
  }
}
