import type { EventLine } from "../../src/protocol/event.ts";
import { limits } from "../../src/protocol/limits.ts";
import type { MutableVector, Vector } from "../../src/protocol/vector.ts";

/** A disk with a journal on it: what was not synced is gone after a crash. */
export class MemoryJournal {
  /** Synced, in the order in which they came. */
  readonly lines: EventLine[] = [];
  readonly durable: MutableVector = {};
  /** The clock noted with the last sync (R7). */
  clock = 0;
  isFlushing = false;
  #waiting: EventLine[] = [];

  append(lines: readonly EventLine[]): void {
    this.#waiting.push(...lines);
  }

  /** Group commit: all that waits goes into one sync. */
  takeBatch(): EventLine[] {
    const batch = this.#waiting;
    this.#waiting = [];
    return batch;
  }

  sync(batch: readonly EventLine[], clock: number): void {
    for (const line of batch) {
      this.lines.push(line);
      this.durable[line.event.server] = line.event.seq;
    }
    this.clock = Math.max(this.clock, clock);
  }

  loseWhatWaits(): void {
    this.#waiting = [];
    this.isFlushing = false;
  }

  /** As `Journal.read`: what `since` lacks of `upTo`, by the page. */
  read(since: Vector, upTo: Vector): { lines: string[]; more: boolean } {
    const wanted = this.lines.filter(({ event: { server, seq } }) => {
      return seq > (since[server] ?? 0) && seq <= (upTo[server] ?? 0);
    });
    const lines: string[] = [];
    let room: number = limits.pageBytes;
    for (const { line } of wanted) {
      if (lines.length >= limits.syncEvents || room <= 0) break;
      lines.push(line);
      room -= 3 * line.length;
    }
    return { lines, more: lines.length < wanted.length };
  }
}
