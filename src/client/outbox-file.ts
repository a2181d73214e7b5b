import assert from "node:assert/strict";
import { join } from "node:path";
import { errorCode, Problem } from "../platform/problem.ts";
import { isMap } from "../protocol/fields.ts";
import {
  parseChannelName,
  parseRequestId,
  parseUserName,
  type RequestId,
} from "../protocol/ids.ts";
import { limits } from "../protocol/limits.ts";
import { AppendFile } from "../storage/append-file.ts";
import { checkFormat, fileFormat } from "../storage/file-format.ts";
import { copyAside, decodeUtf8, type FileTrouble, putAsideNoFile } from "../storage/kept-file.ts";
import type { Slot } from "../storage/slot-lock.ts";
import type { Outgoing } from "./core/outgoing.ts";
import { shownTime } from "./core/server-time.ts";

/**
 * A message and its line in the file. The line is stored unchanged, because a newer version of the
 * program may have added fields that this version does not read.
 */
interface Entry {
  readonly outgoing: Outgoing;
  readonly line: string;
}

/**
 * The outbox file of one slot. A line `{"add": …}` stores a message; a line `{"settled": id}` says
 * that the message with this id has been sent or refused.
 */
export class OutboxFile {
  readonly #path: string;
  readonly #slot: Slot;
  readonly #file: AppendFile;
  readonly #waiting = new Map<RequestId, Entry>();
  /**
   * Set if the file has a damaged line, which is not sent but stays in a copy of the file. Also set
   * if the path was not a regular file.
   */
  readonly trouble: FileTrouble | undefined;
  /** File size in bytes above which the file is rewritten without the settled messages. */
  #largestBytes: number = limits.outboxBytes;

  /**
   * @throws the file system's error, also if a damaged file can't be copied; Problem if a message
   * has a newer format. The file is then unchanged
   */
  constructor(slot: Slot) {
    const path = join(slot.folder, "outbox.jsonl");
    this.#path = path;
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
    const line = JSON.stringify({ add: outgoing, format: fileFormat });
    this.#file.append(line, true);
    this.#waiting.set(outgoing.id, { outgoing, line });
  }

  /** @returns whether the message waited in this file */
  settle(id: RequestId): boolean {
    if (!this.#waiting.delete(id)) return false;
    // If a full disk or a crash loses this line, the next process resends the message. The servers
    // then recognize the message's id (R6).
    ifPossible(() => this.#file.append(JSON.stringify({ settled: id }), false));
    return true;
  }

  close(): void {
    // If the removal fails, the next process that starts removes the file.
    if (this.isEmpty) ifPossible(() => this.#file.remove());
    this.#file[Symbol.dispose]();
    this.#slot[Symbol.dispose]();
  }

  /**
   * @returns whether the line was understood; true for an empty line, which a text editor may have
   * added
   * @throws Problem if the line has a newer format
   */
  #take(bytes: Uint8Array): boolean {
    try {
      const line = decodeUtf8(bytes);
      if (line.trim() === "") return true;
      const value: unknown = JSON.parse(line);
      if (!isMap(value)) return false;
      checkFormat(this.#path, value);
      const settled = parseRequestId(value.settled);
      if (settled !== undefined) this.#waiting.delete(settled);
      if (value.add === undefined) return settled !== undefined;
      const outgoing = parseOutgoing(value.add);
      const other = this.#waiting.get(outgoing.id);
      if (other !== undefined && other.line !== line) return false;
      this.#waiting.set(outgoing.id, { outgoing, line });
      return true;
    } catch (error) {
      if (error instanceof Problem) throw error;
      return false;
    }
  }

  #compact(): void {
    // If this fails, the file stays unchanged and valid.
    ifPossible(() => {
      if (this.isEmpty) this.#file.remove();
      else this.#file.replace([...this.#waiting.values()].map(({ line }) => line));
    });
    // With this limit, the file is rewritten again only after at least as many bytes were appended
    // as this rewriting has written.
    this.#largestBytes = 2 * this.#file.bytes + limits.outboxBytes;
  }
}

/** Calls `change`, and ignores an error of the file system. */
function ifPossible(change: () => void): void {
  try {
    change();
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
  }
}

/**
 * Whether the bytes are the beginning of a `settled` line, which a kill has cut off. Without this
 * line, the next process resends the message. That is harmless, because the servers recognize the
 * message's id (R6).
 */
function isCutSettling(bytes: Uint8Array): boolean {
  const line = Buffer.from(bytes).toString("latin1");
  return '{"settled":"'.startsWith(line) || /^\{"settled":"[0-9a-f]*"?$/.test(line);
}

/** @throws Error if the value is not a message of an outbox */
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
