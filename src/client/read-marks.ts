import { errorCode } from "../platform/problem.ts";
import type { UserName } from "../protocol/ids.ts";
import type { Entry } from "../protocol/publications.ts";
import type { Vector } from "../protocol/vector.ts";
import { targetOf } from "./core/chat-steps.ts";
import { asMessage, isRead, readAll } from "./core/message-list.ts";
import { writeTarget } from "./core/target.ts";
import type { PersonFiles } from "./person-files.ts";

/** What was read is saved so often, at most. */
const saveMs = 1_000;

/** What a person has been shown, in the file that all his chats share. */
export class ReadMarks implements Disposable {
  /** He has never chatted here. */
  readonly isNew: boolean;
  readonly #files: PersonFiles;
  readonly #me: UserName;
  readonly #read: Record<string, Vector>;
  #saving: NodeJS.Timeout | undefined;

  constructor(files: PersonFiles, me: UserName) {
    const saved = files.read();
    this.isNew = files.isNew;
    this.#files = files;
    this.#me = me;
    this.#read = { ...saved.read };
  }

  has(entry: Entry): boolean {
    return isRead(this.#of(entry), asMessage(entry));
  }

  /** Whether the person has read something there, but not this. */
  lacks(entry: Entry): boolean {
    return this.#read[this.#key(entry)] !== undefined && !this.has(entry);
  }

  add(entry: Entry): void {
    this.#read[this.#key(entry)] = readAll(this.#of(entry), [asMessage(entry)]);
    // Nobody is kept from ending by it.
    this.#saving ??= setTimeout(() => this.save(), saveMs).unref();
  }

  /** All else that is there stays as another chat of the person's has left it. */
  save(): void {
    clearTimeout(this.#saving);
    this.#saving = undefined;
    try {
      this.#files.save({ ...this.#files.read(), read: this.#read });
    } catch (error) {
      // Then some of it is shown once more.
      if (errorCode(error) === undefined) throw error;
    }
  }

  [Symbol.dispose](): void {
    if (this.#saving !== undefined) this.save();
  }

  #of(entry: Entry): Vector {
    return this.#read[this.#key(entry)] ?? {};
  }

  #key(entry: Entry): string {
    return writeTarget(targetOf(entry, this.#me));
  }
}
