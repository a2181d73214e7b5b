import { appendFileSync, readFileSync, renameSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { ownerOnly, syncFolder } from "../platform/folder.ts";
import { errorCode, Problem, unwritable } from "../platform/problem.ts";
import { isMap } from "../protocol/fields.ts";
import { isMatchId, type MatchId } from "../protocol/matches.ts";
import type { Record as MatchRecord } from "./core/effects.ts";
import type { MatchEvent } from "./core/match-event.ts";

interface Written {
  readonly number: number;
  readonly record: MatchRecord;
}

interface Parts {
  readonly folder: string;
  /** A file above this many bytes is replaced once it has doubled. */
  readonly longBytes?: number;
  /** Called when all records up to this number are on disk. */
  onStored(upTo: number): void;
  /** Called if the disk fails: what was written last may be lost. */
  onFailed(reason: string): void;
}

/** A file that will replace the present one. Until then either of them is complete after a crash. */
interface Successor {
  readonly file: FileHandle;
  readonly bytes: number;
}

/**
 * The logs of all matches of a game server, in one file of JSON lines: `{type, match, events}`. Records
 * that arrive while the disk syncs are written and synced together. A file that has become long is
 * replaced by one with only what is still needed, and no record waits while that one is written.
 */
export class MatchStore {
  /** The logs that the disk had at the start. */
  readonly logs = new Map<MatchId, MatchEvent[]>();
  readonly #parts: Parts;
  readonly #path: string;
  readonly #longBytes: number;
  /** For each match that was not forgotten, its lines. */
  readonly #lines = new Map<MatchId, string[]>();
  #file: FileHandle | undefined;
  #bytes = 0;
  /** Bytes of the file when it was new. */
  #newBytes = 0;
  #queue: Written[] = [];
  #writing: Promise<void> | undefined;
  /** The writing of the successor. Undefined while no successor is needed. */
  #successorWritten: Promise<void> | undefined;
  #successor: Successor | undefined;
  /** What was written since the successor was begun. */
  #writtenSince = "";
  /** Called with the seconds of each sync. */
  onSync: (seconds: number) => void = () => {};

  private constructor(parts: Parts) {
    this.#parts = parts;
    this.#path = join(parts.folder, "matches.jsonl");
    this.#longBytes = parts.longBytes ?? 16 * 1024 * 1024;
  }

  /** @throws Problem if the file can't be read or written */
  static async open(parts: Parts): Promise<MatchStore> {
    const store = new MatchStore(parts);
    store.#read();
    try {
      await store.#replaceBy(await store.#writeSuccessor());
    } catch (error) {
      throw new Problem(unwritable(store.#path, error));
    }
    return store;
  }

  get bytes(): number {
    return this.#bytes;
  }

  store(number: number, record: MatchRecord): void {
    this.#queue.push({ number, record });
    this.#writing ??= this.#write();
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#successorWritten;
    await this.#successor?.file.close();
    await this.#file?.close();
  }

  async #write(): Promise<void> {
    // Records of one turn of the event loop are written together.
    await new Promise((resolve) => setImmediate(resolve));
    try {
      while (this.#queue.length > 0) {
        const batch = this.#queue.splice(0);
        await this.#append(batch.map(({ record }) => this.#remember(record)).join(""));
        this.#parts.onStored(batch.at(-1)?.number ?? 0);
        await this.#replaceIfLong();
      }
    } catch (error) {
      this.#parts.onFailed(unwritable(this.#path, error));
    }
    this.#writing = undefined;
  }

  /** A synchronous write of a few kilobytes only fills the system's cache, and costs less than a thread. */
  async #append(text: string): Promise<void> {
    if (this.#file === undefined) return;
    const startMs = performance.now();
    appendFileSync(this.#file.fd, text);
    await this.#file.datasync();
    this.#bytes += Buffer.byteLength(text);
    if (this.#successorWritten !== undefined) this.#writtenSince += text;
    this.onSync((performance.now() - startMs) / 1_000);
  }

  /** @returns the record's line */
  #remember(record: MatchRecord): string {
    const { match, type } = record;
    const line = `${JSON.stringify(record)}\n`;
    const lines = this.#lines.get(match);
    if (type === "forget") this.#lines.delete(match);
    else if (type === "replace" || lines === undefined) this.#lines.set(match, [line]);
    else lines.push(line);
    return line;
  }

  /** Begins a successor if the file is long, and changes to the successor once it is written. */
  async #replaceIfLong(): Promise<void> {
    if (this.#successor !== undefined) {
      await this.#replaceBy(this.#successor);
    } else if (this.#successorWritten === undefined && this.#isLong) {
      this.#successorWritten = this.#writeSuccessor().then(
        (written) => {
          this.#successor = written;
        },
        (error) => this.#parts.onFailed(unwritable(this.#path, error)),
      );
    }
  }

  /** Long enough, and twice as long as when it was new. */
  get #isLong(): boolean {
    return this.#bytes > Math.max(this.#longBytes, 2 * this.#newBytes);
  }

  async #writeSuccessor(): Promise<Successor> {
    const text = [...this.#lines.values()].flat().join("");
    const file = await open(`${this.#path}.tmp`, "w", ownerOnly);
    await file.writeFile(text);
    await file.datasync();
    return { file, bytes: Buffer.byteLength(text) };
  }

  /** After a crash the file is either the old or the new one. */
  async #replaceBy({ file, bytes }: Successor): Promise<void> {
    appendFileSync(file.fd, this.#writtenSince);
    await file.datasync();
    renameSync(`${this.#path}.tmp`, this.#path);
    await syncFolder(this.#parts.folder);
    await this.#file?.close();
    this.#file = file;
    this.#bytes = bytes + Buffer.byteLength(this.#writtenSince);
    this.#newBytes = this.#bytes;
    this.#writtenSince = "";
    this.#successorWritten = undefined;
    this.#successor = undefined;
  }

  /** @throws Problem if a line is damaged that a crash can't have cut */
  #read(): void {
    let content: string;
    try {
      content = readFileSync(this.#path, "utf8");
    } catch (error) {
      const code = errorCode(error);
      if (code === "ENOENT") return;
      throw new Problem(`${this.#path} can't be read (${code}): check its owner and mode.`);
    }
    const lines = content.split("\n");
    // A crash may have cut the last line, which then has no newline, and of which nobody was told.
    lines.pop();
    for (const [at, line] of lines.entries()) {
      const record = recordOf(line);
      if (record === undefined) {
        throw new Problem(`${this.#path} is damaged at line ${at + 1}: move it away.`);
      }
      this.#remember(record);
    }
    for (const [match, kept] of this.#lines) {
      this.logs.set(
        match,
        kept.flatMap((line) => JSON.parse(line).events),
      );
    }
  }
}

function recordOf(line: string): MatchRecord | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (!isMap(value) || !isMatchId(value.match)) return undefined;
    const isKnown = value.type === "forget" || Array.isArray(value.events);
    return isKnown ? (value as unknown as MatchRecord) : undefined;
  } catch {
    return undefined;
  }
}
