import { appendFileSync, readFileSync, renameSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { ownerOnly, syncFolder } from "../platform/folder.ts";
import { errorCode, Problem, unwritable } from "../platform/problem.ts";
import { isMap } from "../protocol/fields.ts";
import { isMatchId, type MatchId } from "../protocol/matches.ts";
import type { Record as MatchRecord } from "./core/effects.ts";
import type { MatchEvent } from "./core/match-event.ts";

/** Bytes above which the file is written anew, if it has also doubled since it was last written so. */
const mostBytes = 16 * 1024 * 1024;

interface Written {
  readonly number: number;
  readonly record: MatchRecord;
}

interface Parts {
  readonly folder: string;
  /** Called when all records up to this number are on disk. */
  onStored(upTo: number): void;
  /** Called if the disk fails: what was written last may be lost. */
  onFailed(reason: string): void;
}

/**
 * The logs of all matches of a game server, in one file of JSON lines: `{type, match, events}`. Records
 * that arrive while the disk syncs are written and synced together.
 */
export class MatchStore {
  readonly logs = new Map<MatchId, MatchEvent[]>();
  readonly #parts: Parts;
  readonly #path: string;
  #file: FileHandle | undefined;
  #bytes = 0;
  /** Bytes of the file after it was last written anew. */
  #liveBytes = 0;
  #queue: Written[] = [];
  #writing: Promise<void> | undefined;
  /** Called with the seconds of each sync. */
  onSync: (seconds: number) => void = () => {};

  private constructor(parts: Parts) {
    this.#parts = parts;
    this.#path = join(parts.folder, "matches.jsonl");
  }

  /** @throws Problem if the file can't be read or written */
  static async open(parts: Parts): Promise<MatchStore> {
    const store = new MatchStore(parts);
    store.#read();
    try {
      await store.#writeAnew();
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
    await this.#file?.close();
  }

  async #write(): Promise<void> {
    // Records of one turn of the event loop are written together.
    await new Promise((resolve) => setImmediate(resolve));
    try {
      while (this.#queue.length > 0) {
        const batch = this.#queue;
        this.#queue = [];
        const text = batch.map(({ record }) => `${JSON.stringify(record)}\n`).join("");
        await this.#append(text);
        for (const { record } of batch) this.#keep(record);
        const last = batch.at(-1)?.number ?? 0;
        this.#parts.onStored(last);
        if (this.#bytes > Math.max(mostBytes, 2 * this.#liveBytes)) await this.#writeAnew();
      }
    } catch (error) {
      this.#parts.onFailed(unwritable(this.#path, error));
    }
    this.#writing = undefined;
  }

  /** Writes without a thread, because the system's cache takes a few kilobytes at once; only the sync waits. */
  async #append(text: string): Promise<void> {
    if (this.#file === undefined) return;
    const startMs = performance.now();
    appendFileSync(this.#file.fd, text);
    await this.#file.datasync();
    this.#bytes += Buffer.byteLength(text);
    this.onSync((performance.now() - startMs) / 1_000);
  }

  #keep(record: MatchRecord): void {
    const { match } = record;
    if (record.type === "forget") this.logs.delete(match);
    else if (record.type === "replace") this.logs.set(match, [...record.events]);
    else this.logs.set(match, [...(this.logs.get(match) ?? []), ...record.events]);
  }

  /** Writes only what is still needed. After a crash the file is either the old or the new one. */
  async #writeAnew(): Promise<void> {
    const lines = [...this.logs].map(([match, events]) => {
      return `${JSON.stringify({ type: "replace", match, events })}\n`;
    });
    const text = lines.join("");
    const temporary = `${this.#path}.tmp`;
    const file = await open(temporary, "w", ownerOnly);
    await file.writeFile(text);
    await file.datasync();
    renameSync(temporary, this.#path);
    await syncFolder(this.#parts.folder);
    await this.#file?.close();
    this.#file = file;
    this.#bytes = Buffer.byteLength(text);
    this.#liveBytes = this.#bytes;
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
      this.#keep(record);
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
