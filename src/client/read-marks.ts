import type { UserName } from "../protocol/ids.ts";
import type { Entry } from "../protocol/publications.ts";
import type { Vector } from "../protocol/vector.ts";
import { targetOf } from "./core/chat-steps.ts";
import { asMessage, isRead, readAll } from "./core/message-list.ts";
import { writeTarget } from "./core/target.ts";
import type { PersonFiles } from "./person-files.ts";

/** The messages that a person has read, in the file that all chats of this person share. */
export class ReadMarks {
  readonly #files: PersonFiles;
  readonly #me: UserName;
  readonly #read: Record<string, Vector>;

  constructor(files: PersonFiles, me: UserName) {
    this.#files = files;
    this.#me = me;
    this.#read = { ...files.read().read };
  }

  has(entry: Entry): boolean {
    return isRead(this.#read[this.#key(entry)] ?? {}, asMessage(entry));
  }

  /** Whether the conversation has a read mark that does not include this entry. */
  lacks(entry: Entry): boolean {
    return this.#read[this.#key(entry)] !== undefined && !this.has(entry);
  }

  add(entries: readonly Entry[]): void {
    for (const entry of entries) {
      const key = this.#key(entry);
      this.#read[key] = readAll(this.#read[key] ?? {}, [asMessage(entry)]);
    }
    // Takes all fields except `read` from the file, because another chat of the person may have
    // changed them.
    this.#files.saveSoon(() => ({ ...this.#files.read(), read: this.#read }));
  }

  #key(entry: Entry): string {
    return writeTarget(targetOf(entry, this.#me));
  }
}
