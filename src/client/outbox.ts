import assert from "node:assert/strict";
import { join } from "node:path";
import { now } from "../platform/clock.ts";
import { errorCode, Problem } from "../platform/problem.ts";
import { randomHex } from "../platform/random.ts";
import {
  characters,
  parseChannelName,
  parseRequestId,
  parseUserName,
  type RequestId,
  type UserName,
} from "../protocol/ids.ts";
import { limits } from "../protocol/limits.ts";
import { isMap } from "../protocol/parse-message.ts";
import { AppendFile } from "../storage/append-file.ts";
import { ownerOnlyFolder } from "../storage/file-modes.ts";
import { copyAside, type FileTrouble } from "../storage/kept-file.ts";
import { type Slot, takeFreeSlots } from "../storage/slot-lock.ts";
import type { Text } from "../texts/texts.ts";
import type { Outgoing } from "./core/outgoing.ts";
import type { Target } from "./core/target.ts";

/**
 * What a person has sent and not yet got receipts for (C5), in a file of this process alone. The
 * messages of processes that ended without receipts are this one's from its start on.
 */
export class Outbox {
  readonly #folder: string;
  readonly #text: () => Text;
  readonly #own: OutboxFile;
  /** Others' as long as something waits in them. */
  readonly #files: Set<OutboxFile>;
  #waiting: readonly Outgoing[];
  #isClosed = false;

  private constructor(folder: string, text: () => Text, files: Set<OutboxFile>) {
    const [own] = files;
    assert(own !== undefined, "there is no slot");
    this.#folder = folder;
    this.#text = text;
    this.#own = own;
    this.#files = files;
    this.troubles = [...files].flatMap(({ trouble }) => trouble ?? []);
    for (const file of files) if (file !== own && file.waiting.size === 0) closeOne(files, file);
    // No two of one file change places: each has its times in order.
    this.#waiting = [...files]
      .flatMap((file) => [...file.waiting.values()])
      .sort((a, b) => a.atMs - b.atMs);
  }

  /**
   * @param folder of one person's in one cluster; several of his processes may share it
   * @param text says what is wrong, in the person's language of that moment
   * @throws Problem if the folder or a file in it can't be used
   */
  static open(folder: string, text: () => Text): Outbox {
    try {
      return new Outbox(folder, text, openFiles(takeFreeSlots(folder, ownerOnlyFolder)));
    } catch (error) {
      const code = error instanceof Problem ? errorCode(error.cause) : undefined;
      if (code === undefined) throw error;
      throw new Problem(text()("problem.outbox", { folder, code }));
    }
  }

  /** Files of which something could not be understood, each with a copy that has all of it. */
  readonly troubles: readonly FileTrouble[];

  /** In the order in which they were accepted; another array after each change. */
  get waiting(): readonly Outgoing[] {
    return this.#waiting;
  }

  /**
   * Accepts a message: it is on disk when this returns.
   * @throws Problem if it can't be kept, with the reason; then it was not accepted
   */
  add(target: Target, user: UserName, text: string): Outgoing {
    assert(!this.#isClosed, "the outbox is closed");
    const count = this.#waiting.length;
    if (count >= limits.outboxMessages) {
      throw new Problem(this.#text()("problem.outboxFull", { count }));
    }
    const most = limits.messageCharacters;
    if (characters(text) > most) {
      throw new Problem(this.#text()("problem.messageTooLong", { most }));
    }
    const id = randomHex(16) as RequestId;
    const atMs = Math.max(now().wallMs, this.#waiting.at(-1)?.atMs ?? 0);
    const outgoing: Outgoing = { id, user, target, text: text.toWellFormed(), atMs };
    try {
      this.#own.add(outgoing);
    } catch (error) {
      throw new Problem(this.#notKept(error));
    }
    this.#waiting = [...this.#waiting, outgoing];
    return outgoing;
  }

  /** There is a receipt, or an error that no retry mends: it is not sent again. */
  settle(id: RequestId): void {
    for (const file of this.#files) {
      if (!file.settle(id)) continue;
      this.#waiting = this.#waiting.filter((outgoing) => outgoing.id !== id);
      if (file !== this.#own && file.waiting.size === 0) closeOne(this.#files, file);
    }
  }

  /** What still waits is for the next process. */
  close(): void {
    this.#isClosed = true;
    for (const file of [...this.#files]) closeOne(this.#files, file);
  }

  #notKept(error: unknown): string {
    const code = errorCode(error);
    if (code === undefined) throw error;
    const isFull = code === "ENOSPC" || code === "EDQUOT";
    const key = isFull ? "problem.outboxNoSpace" : "problem.outboxNotWritten";
    return this.#text()(key, { folder: this.#folder, code });
  }
}

function openFiles(slots: readonly Slot[]): Set<OutboxFile> {
  const files = new Set<OutboxFile>();
  try {
    for (const slot of slots) files.add(new OutboxFile(slot));
    return files;
  } catch (error) {
    for (const slot of slots.slice(files.size)) slot[Symbol.dispose]();
    for (const file of [...files]) closeOne(files, file);
    throw error;
  }
}

function closeOne(files: Set<OutboxFile>, file: OutboxFile): void {
  files.delete(file);
  file.close();
}

/** One slot's lines: `{"add": …}` for each message, `{"settled": id}` once it needs nobody any more. */
class OutboxFile {
  readonly #slot: Slot;
  readonly #file: AppendFile;
  readonly waiting = new Map<RequestId, Outgoing>();
  /** A copy of a damaged file is kept: what is not understood is not sent, nor lost. */
  readonly trouble: FileTrouble | undefined;
  /** Bytes at which what is settled is taken out. */
  #largestBytes: number = limits.outboxBytes;

  constructor(slot: Slot) {
    this.#slot = slot;
    this.#file = new AppendFile(join(slot.folder, "outbox.jsonl"));
    const { lines } = this.#file;
    const damaged = lines.filter((line) => !this.#take(line));
    if (damaged.length > 0) {
      const path = join(slot.folder, "outbox.jsonl");
      this.trouble = { path, aside: copyOf(path) };
    }
    if (this.waiting.size < lines.length) this.#compact();
  }

  add(outgoing: Outgoing): void {
    if (this.#file.bytes > this.#largestBytes) this.#compact();
    this.#file.append(writeAdd(outgoing), true);
    this.waiting.set(outgoing.id, outgoing);
  }

  /** @returns whether it waited here */
  settle(id: RequestId): boolean {
    if (!this.waiting.delete(id)) return false;
    try {
      // What a crash takes of this is sent once more, and found to be there by its id (R6).
      this.#file.append(JSON.stringify({ settled: id }), false);
    } catch (error) {
      // The same; on a full disk it is well to do without.
      if (errorCode(error) === undefined) throw error;
    }
    return true;
  }

  close(): void {
    try {
      if (this.waiting.size === 0) this.#file.remove();
    } catch (error) {
      // The next who starts empties it.
      if (errorCode(error) === undefined) throw error;
    }
    this.#file[Symbol.dispose]();
    this.#slot[Symbol.dispose]();
  }

  /** @returns whether the line could be understood */
  #take(line: string): boolean {
    try {
      const value: unknown = JSON.parse(line);
      if (!isMap(value)) return false;
      const settled = parseRequestId(value.settled);
      if (settled !== undefined) this.waiting.delete(settled);
      if (value.add === undefined) return settled !== undefined;
      const outgoing = parseOutgoing(value.add);
      this.waiting.set(outgoing.id, outgoing);
      return true;
    } catch {
      return false;
    }
  }

  #compact(): void {
    try {
      if (this.waiting.size === 0) this.#file.clear();
      else this.#file.replace([...this.waiting.values()].map(writeAdd));
    } catch (error) {
      // As it is, it is good too.
      if (errorCode(error) === undefined) throw error;
    }
    // So that of what is written at most half is written again.
    this.#largestBytes = 2 * this.#file.bytes + limits.outboxBytes;
  }
}

/** @throws Problem: what can't be kept is not written over */
function copyOf(path: string): string {
  try {
    return copyAside(path);
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    throw new Problem(`${path} is damaged and can't be copied.`, 1, { cause: error });
  }
}

function writeAdd(outgoing: Outgoing): string {
  return JSON.stringify({ add: outgoing });
}

/** @throws Error if it is none */
function parseOutgoing(value: unknown): Outgoing {
  assert(isMap(value) && isMap(value.target), "it is no message");
  const { text, atMs, target } = value;
  const id = parseRequestId(value.id);
  assert(id !== undefined && typeof text === "string" && Number.isFinite(atMs), "it is no message");
  return {
    id,
    user: parseUserName(value.user),
    target:
      target.channel === undefined
        ? { user: parseUserName(target.user) }
        : { channel: parseChannelName(target.channel) },
    text,
    atMs: Number(atMs),
  };
}
