import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Digest, EventLine } from "../protocol/event.ts";
import { isMap } from "../protocol/fields.ts";
import { emptyChain, type ServerName } from "../protocol/ids.ts";
import { parseClock } from "../protocol/lamport-clock.ts";
import { furthest, type Heads, headsOf, type Mark, vectorOf } from "../protocol/mark.ts";
import { covers, lag, type Vector } from "../protocol/vector.ts";
import { readCheckpoint } from "./checkpoint.ts";
import type { Damage } from "./damage.ts";
import { type Header, journalNames, readHeader } from "./journal-file.ts";
import { findMissing } from "./journal-recovery.ts";
import { Scan } from "./journal-scan.ts";

/** What a look at a server's folder came to. */
export interface Verified {
  readonly folder: string;
  /** Events that the saved state stands for, and those that the journal holds. */
  readonly savedEvents: number;
  readonly journalEvents: number;
  /** How far the folder reaches. */
  readonly vector: Vector;
  /** Bytes at the end of the journal that a start would cut off: nothing tells that they were synced. */
  readonly tornBytes: number;
  readonly damages: readonly Damage[];
}

/** The folders of servers in a data folder, or the folder itself if it is one. */
export function serverFolders(folder: string): string[] {
  if (existsSync(join(folder, "identity.json"))) return [folder];
  const slots = existsSync(join(folder, "servers")) ? join(folder, "servers") : folder;
  if (!existsSync(slots)) return [];
  return readdirSync(slots)
    .filter((name) => /^\d+$/.test(name) && existsSync(join(slots, name, "identity.json")))
    .sort((a, b) => Number(a) - Number(b))
    .map((name) => join(slots, name));
}

/** Checks checksums, chains and gaps of a server's folder, and changes nothing (J5). */
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

/** The number of a journal file that was there, by promises.json. */
function leastOf(folder: string): number | undefined {
  const path = join(folder, "promises.json");
  const promises: unknown = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : {};
  return isMap(promises) ? parseClock(promises.journal) : undefined;
}

function checkJson(path: string): Damage[] {
  if (!existsSync(path)) return [];
  try {
    JSON.parse(readFileSync(path, "utf8"));
    return [];
  } catch (error) {
    return [{ path, line: 1, why: (error as Error).message }];
  }
}

/** The journal as a whole: also the files that only serve peers who are behind. */
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
      const header = headerOf(bytes, this.#digest);
      // A new run of files: what lies before stands in the saved state alone.
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
    const names = new Set([...Object.keys(this.heads), ...Object.keys(scan.heads)]);
    const further = [...names].map((name) => {
      const [a, b] = [this.heads[name as ServerName], scan.heads[name as ServerName]];
      return [name, (a?.seq ?? 0) >= (b?.seq ?? 0) ? a : b];
    });
    this.heads = Object.fromEntries(further) as Heads;
  }

  /** The saved state and the journal have to tell of the same events. */
  #compare(path: string, { event: { server, seq }, chain }: EventLine): void {
    for (const { vector, chains } of this.#marks) {
      if (vector[server] !== seq || (chains[server] ?? emptyChain) === chain) continue;
      const why = `${server} ${seq} is another event than the saved state stands for`;
      this.damages.push({ path, line: 1, why });
    }
  }
}

function headerOf(bytes: Buffer, digest: Digest): Header | undefined {
  return readHeader(bytes.toString("utf8", 0, bytes.indexOf(0x0a)), digest);
}
