import { digest } from "../../src/platform/digest.ts";
import type { EventLine } from "../../src/protocol/event.ts";
import type { Heads } from "../../src/protocol/mark.ts";
import { Journal, type JournalOptions } from "../../src/storage/journal.ts";
import type { Found } from "../../src/storage/journal-recovery.ts";
import { until } from "./until.ts";

interface Options extends Partial<Pick<JournalOptions, "fileBytes" | "keptBytes" | "idleMs">> {
  readonly held?: Heads;
}

/** A journal that records what it read, how many lines it flushed, and why it failed. */
export class OpenJournal implements AsyncDisposable {
  journal!: Journal;
  found!: Found;
  readonly lines: EventLine[] = [];
  clock = 0;
  /** The number of lines in each flush. */
  readonly flushes: number[] = [];
  readonly failures: string[] = [];
  #appended = 0;

  /** @param held the last event of each server in the saved state */
  static async at(folder: string, options: Options = {}): Promise<OpenJournal> {
    const open = new OpenJournal();
    const { held = {}, ...sizes } = options;
    const { journal, found } = await Journal.open(
      {
        folder,
        digest,
        clock: () => open.clock,
        onFlushed: (count) => open.flushes.push(count),
        onFailed: (problem) => open.failures.push(problem),
        keptBytes: Number.POSITIVE_INFINITY,
        idleMs: 60_000,
        ...sizes,
      },
      held,
      (line) => open.lines.push(line),
    );
    open.journal = journal;
    open.found = found;
    return open;
  }

  append(lines: readonly EventLine[]): void {
    this.#appended += lines.length;
    this.journal.append(lines);
  }

  /** Appends the lines in one batch and waits until they are on disk. */
  async write(lines: readonly EventLine[]): Promise<void> {
    this.append(lines);
    await this.flushed();
  }

  async flushed(): Promise<void> {
    const isDone = () => this.flushes.reduce((sum, count) => sum + count, 0) === this.#appended;
    await until(() => isDone() || this.failures.length > 0, "all is flushed");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.failures.length === 0) await this.journal.close();
  }
}
