import assert from "node:assert/strict";
import { join } from "node:path";
import { errorCode } from "../platform/problem.ts";
import { isMap } from "../protocol/fields.ts";
import {
  parseChannelName,
  parseRequestId,
  parseUserName,
  type RequestId,
} from "../protocol/ids.ts";
import { limits } from "../protocol/limits.ts";
import { AppendFile } from "../storage/append-file.ts";
import { copyAside, decodeUtf8, type FileTrouble, putAsideNoFile } from "../storage/kept-file.ts";
import type { Slot } from "../storage/slot-lock.ts";
import type { Outgoing } from "./core/outgoing.ts";
import { shownTime } from "./core/server-time.ts";

/** A message, and the line that keeps it: a newer version may have written more than is read here. */
interface Entry {
  readonly outgoing: Outgoing;
  readonly line: string;
}

/** One slot's lines: `{"add": …}` for each message, `{"settled": id}` once it no longer waits. */
export class OutboxFile {
  readonly #slot: Slot;
  readonly #file: AppendFile;
  readonly #waiting = new Map<RequestId, Entry>();
  /** Set if a line is not understood: that line is neither sent nor lost. */
  readonly trouble: FileTrouble | undefined;
  /** Above so many bytes, settled messages are taken out. */
  #largestBytes: number = limits.outboxBytes;

  /** @throws what the file system says; what can't be copied is not written over */
  constructor(slot: Slot) {
    const path = join(slot.folder, "outbox.jsonl");
    this.#slot = slot;
    this.trouble = putAsideNoFile(path);
    this.#file = new AppendFile(path);
    const { lines, unended } = this.#file;
    const strange = lines.filter((line) => !this.#take(line));
    if (unended !== undefined && !this.#take(unended) && !isCutSettling(unended)) {
      strange.push(unended);
    }
    if (strange.length > 0) this.trouble = { path, copy: copyAside(path) };
    const isAsWritten = unended === undefined && this.#waiting.size === lines.length;
    if (!isAsWritten) this.#compact();
  }

  get messages(): Outgoing[] {
    return [...this.#waiting.values()].map(({ outgoing }) => outgoing);
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  add(outgoing: Outgoing): void {
    if (this.#file.bytes > this.#largestBytes) this.#compact();
    const line = JSON.stringify({ add: outgoing });
    this.#file.append(line, true);
    this.#waiting.set(outgoing.id, { outgoing, line });
  }

  /** @returns whether it waited here */
  settle(id: RequestId): boolean {
    if (!this.#waiting.delete(id)) return false;
    // If this is lost, by a full disk or a crash, the message is sent once more, and known by its
    // id (R6).
    ifPossible(() => this.#file.append(JSON.stringify({ settled: id }), false));
    return true;
  }

  close(): void {
    // Else the next process that starts removes it.
    if (this.isEmpty) ifPossible(() => this.#file.remove());
    this.#file[Symbol.dispose]();
    this.#slot[Symbol.dispose]();
  }

  /** @returns whether the line could be understood; an editor may have left empty ones */
  #take(bytes: Uint8Array): boolean {
    try {
      const line = decodeUtf8(bytes);
      if (line.trim() === "") return true;
      const value: unknown = JSON.parse(line);
      if (!isMap(value)) return false;
      const settled = parseRequestId(value.settled);
      if (settled !== undefined) this.#waiting.delete(settled);
      if (value.add === undefined) return settled !== undefined;
      const outgoing = parseOutgoing(value.add);
      const other = this.#waiting.get(outgoing.id);
      if (other !== undefined && other.line !== line) return false;
      this.#waiting.set(outgoing.id, { outgoing, line });
      return true;
    } catch {
      return false;
    }
  }

  #compact(): void {
    // The longer file is good too.
    ifPossible(() => {
      if (this.isEmpty) this.#file.remove();
      else this.#file.replace([...this.#waiting.values()].map(({ line }) => line));
    });
    // So that at most half of all writing is writing again.
    this.#largestBytes = 2 * this.#file.bytes + limits.outboxBytes;
  }
}

/** Changes a file, unless the file system refuses. */
function ifPossible(change: () => void): void {
  try {
    change();
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
  }
}

/** Whether a kill has cut a line that settles: its message is only sent once more. */
function isCutSettling(bytes: Uint8Array): boolean {
  const line = Buffer.from(bytes).toString("latin1");
  return '{"settled":"'.startsWith(line) || /^\{"settled":"[0-9a-f]*"?$/.test(line);
}

/** @throws Error if the value is not a message that waits */
function parseOutgoing(value: unknown): Outgoing {
  assert(isMap(value) && isMap(value.target), "it is not a message");
  const { text, atMs, target } = value;
  const id = parseRequestId(value.id);
  assert(
    id !== undefined && typeof text === "string" && text.isWellFormed(),
    "it is not a message",
  );
  assert(typeof atMs === "number" && !Number.isNaN(shownTime(atMs)), "no clock shows its time");
  return {
    id,
    user: parseUserName(value.user),
    target:
      target.channel === undefined
        ? { user: parseUserName(target.user) }
        : { channel: parseChannelName(target.channel) },
    text,
    atMs,
  };
}
