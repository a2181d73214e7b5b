import assert from "node:assert/strict";
import { now } from "../platform/clock.ts";
import { ownerOnlyFolder } from "../platform/folder.ts";
import { errorCode, Problem } from "../platform/problem.ts";
import { randomHex } from "../platform/random.ts";
import { characters, type RequestId, type UserName } from "../protocol/ids.ts";
import { limits } from "../protocol/limits.ts";
import type { FileTrouble } from "../storage/kept-file.ts";
import { type Slot, takeFreeSlots } from "../storage/slot-lock.ts";
import type { Text } from "../texts/texts.ts";
import type { Outgoing } from "./core/outgoing.ts";
import type { Target } from "./core/target.ts";
import { OutboxFile } from "./outbox-file.ts";

/**
 * A person's messages that have no receipt yet (C5). A process stores its messages in a file of its
 * own. When it starts, it also opens the files of processes that have ended.
 */
export class Outbox {
  readonly #folder: string;
  readonly #text: () => Text;
  readonly #own: OutboxFile;
  /** The file of this process, and each file of an ended process in which a message waits. */
  readonly #files: Set<OutboxFile>;
  readonly #waiting = new Map<RequestId, Outgoing>();
  #list: readonly Outgoing[] | undefined;
  #lastMs = 0;
  #isClosed = false;

  private constructor(folder: string, text: () => Text, files: Set<OutboxFile>) {
    const [own] = files;
    assert(own !== undefined, "there is no slot");
    this.#folder = folder;
    this.#text = text;
    this.#own = own;
    this.#files = files;
    this.troubles = [...files].flatMap(({ trouble }) => trouble ?? []);
    for (const file of files) if (file !== own && file.isEmpty) closeOne(files, file);
    // Within one file, times never decrease, so sorting keeps the order of its messages.
    const left = [...files].flatMap((file) => file.messages).sort((a, b) => a.atMs - b.atMs);
    for (const outgoing of left) this.#accept(outgoing);
  }

  /**
   * @param folder the outbox folder of one person in one cluster; several processes of the person
   * may use it at once
   * @param text returns the texts of errors, in the person's current language
   * @throws Problem if the folder or a file in it can't be used
   */
  static open(folder: string, text: () => Text): Outbox {
    try {
      return new Outbox(folder, text, openFiles(takeFreeSlots(folder, ownerOnlyFolder)));
    } catch (error) {
      const cause = error instanceof Problem ? error.cause : error;
      const code = errorCode(cause);
      if (code === undefined) throw error;
      const { path = folder } = cause as NodeJS.ErrnoException;
      const key = isFull(code) ? "problem.outboxFolderFull" : "problem.outbox";
      throw new Problem(text()(key, { folder, path, code }));
    }
  }

  /** The damaged files. Each was copied, or was moved aside because it is not a regular file. */
  readonly troubles: readonly FileTrouble[];

  /** Waiting messages in the order in which they were accepted; a new array after each change. */
  get waiting(): readonly Outgoing[] {
    this.#list ??= [...this.#waiting.values()];
    return this.#list;
  }

  /**
   * Accepts a message, and stores it on disk before returning.
   * @throws Problem with the reason if the message can't be stored; it is then not sent
   */
  add(target: Target, user: UserName, text: string): Outgoing {
    assert(!this.#isClosed, "the outbox is closed");
    const count = this.#waiting.size;
    if (count >= limits.outboxMessages) {
      throw new Problem(this.#text()("problem.outboxFull", { count }));
    }
    const most = limits.messageCharacters;
    if (characters(text) > most) {
      throw new Problem(this.#text()("problem.messageTooLong", { most }));
    }
    const id = randomHex(16) as RequestId;
    const atMs = Math.max(now().wallMs, this.#lastMs);
    const outgoing: Outgoing = { id, user, target, text: text.toWellFormed(), atMs };
    try {
      this.#own.add(outgoing);
    } catch (error) {
      throw new Problem(this.#notKept(error));
    }
    this.#accept(outgoing);
    return outgoing;
  }

  /**
   * Removes a message that no later chat may send, because a server accepted it or refused it for
   * good, or because the person has seen that it failed. After `close`, this method does nothing,
   * so the message stays in its file.
   */
  settle(id: RequestId): void {
    for (const file of this.#files) {
      if (!file.settle(id)) continue;
      this.#waiting.delete(id);
      this.#list = undefined;
      if (file !== this.#own && file.isEmpty) closeOne(this.#files, file);
    }
  }

  /** Closes the files. The next process sends the waiting messages. */
  close(): void {
    this.#isClosed = true;
    for (const file of [...this.#files]) closeOne(this.#files, file);
  }

  #accept(outgoing: Outgoing): void {
    this.#waiting.set(outgoing.id, outgoing);
    this.#list = undefined;
    this.#lastMs = outgoing.atMs;
  }

  #notKept(error: unknown): string {
    const code = errorCode(error);
    if (code === undefined) throw error;
    const key = isFull(code) ? "problem.outboxNoSpace" : "problem.outboxNotWritten";
    return this.#text()(key, { folder: this.#folder, code });
  }
}

function isFull(code: string): boolean {
  return code === "ENOSPC" || code === "EDQUOT";
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
