import { digest } from "../../src/platform/digest.ts";
import type { EventLine } from "../../src/protocol/event.ts";
import { Journal, type Recovered } from "../../src/storage/journal.ts";
import { until } from "./until.ts";

/** A journal with what it told: what it read, how much it flushed, why it failed. */
export class OpenJournal implements AsyncDisposable {
  readonly journal: Journal;
  readonly recovered: Recovered;
  readonly lines: EventLine[] = [];
  clock = 0;
  /** Counts of lines, one for each flush. */
  readonly flushes: number[] = [];
  readonly failures: string[] = [];
  #appended = 0;

  constructor(folder: string, fileBytes?: number) {
    const { journal, recovered } = Journal.open(
      {
        folder,
        digest,
        clock: () => this.clock,
        onFlushed: (count) => this.flushes.push(count),
        onFailed: (problem) => this.failures.push(problem),
        ...(fileBytes === undefined ? {} : { fileBytes }),
      },
      (line) => this.lines.push(line),
    );
    this.journal = journal;
    this.recovered = recovered;
  }

  append(lines: readonly EventLine[]): void {
    this.#appended += lines.length;
    this.journal.append(lines);
  }

  /** Appends in one batch and waits until it is on disk. */
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
