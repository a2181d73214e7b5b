import { renameSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { now } from "../platform/clock.ts";
import { syncFolder, syncNow, writeNow } from "../platform/folder.ts";
import { unwritable } from "../platform/problem.ts";
import { fieldsOf } from "../protocol/fields.ts";
import { type LamportClock, parseClock } from "../protocol/lamport-clock.ts";
import { limits } from "../protocol/limits.ts";
import { fileFormat } from "./file-format.ts";
import { readJson } from "./json-file.ts";

const soonMs = 1_000;

/**
 * Keeps a Lamport clock on disk, so that the clock never repeats a number or forgets a received
 * one, even after kill -9. The value on disk is always ahead of the clock, and a restarted process
 * continues from that value.
 */
export class ClockFile implements AsyncDisposable {
  readonly #folder: string;
  readonly #path: string;
  readonly #clock: LamportClock;
  readonly #onFailed: (reason: string) => never;
  /** The value on disk. */
  #reserved = 0;
  /**
   * The number of ticks that the last call of `#nextReserve` returned, and the steady time of that
   * call.
   */
  #reserve: number = limits.clockReserve;
  #raisedMs = Number.NEGATIVE_INFINITY;
  #raising: Promise<void> | undefined;

  private constructor(folder: string, clock: LamportClock, onFailed: (reason: string) => never) {
    this.#folder = folder;
    this.#path = join(folder, "clock.json");
    this.#clock = clock;
    this.#onFailed = onFailed;
  }

  /**
   * Raises the clock above the value in the folder, because earlier processes used only numbers up
   * to that value.
   */
  static async open(
    folder: string,
    clock: LamportClock,
    onFailed: (reason: string) => never,
  ): Promise<ClockFile> {
    const file = new ClockFile(folder, clock, onFailed);
    const saved = await readJson(file.#path, (value) => {
      const reserved = parseClock(fieldsOf(value).reserved);
      if (reserved === undefined) throw new Error("it has no `reserved`");
      return reserved;
    });
    if (saved !== undefined) clock.receive(saved);
    file.#raiseNow(clock.value + limits.clockReserve);
    clock.onRise = (value) => file.#cover(value);
    return file;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#clock.onRise = () => {};
    await this.#raising;
  }

  #cover(value: number): void {
    if (value > this.#reserved) this.#raiseNow(value + this.#nextReserve());
    else if (value > this.#reserved - limits.clockReserve / 2) {
      this.#raising ??= this.#raiseSoon(value + limits.clockReserve).finally(() => {
        this.#raising = undefined;
      });
    }
  }

  /**
   * Returns how many ticks to reserve next. If the last reserve was used up within `soonMs`,
   * doubles that reserve, because each save blocks the process.
   */
  #nextReserve(): number {
    const { steadyMs } = now();
    const isSoon = steadyMs - this.#raisedMs < soonMs;
    this.#reserve = isSoon
      ? Math.min(2 * this.#reserve, limits.clockReserveMost)
      : limits.clockReserve;
    this.#raisedMs = steadyMs;
    return this.#reserve;
  }

  /**
   * Saves a higher value and blocks the process until that value is on disk, because no other
   * process may receive a clock above the value on disk. This happens at a start, and when the
   * clock rises above the value on disk.
   */
  #raiseNow(reserved: number): void {
    const temporary = `${this.#path}.now`;
    try {
      writeNow(temporary, textOf(reserved));
      renameSync(temporary, this.#path);
      syncNow(this.#folder);
    } catch (error) {
      this.#onFailed(unwritable(this.#path, error));
    }
    this.#reserved = reserved;
  }

  async #raiseSoon(reserved: number): Promise<void> {
    const temporary = `${this.#path}.tmp`;
    try {
      await writeFile(temporary, textOf(reserved), { flush: true });
      // `#raiseNow` may have saved a higher value in the meantime.
      if (reserved <= this.#reserved) return;
      renameSync(temporary, this.#path);
      await syncFolder(this.#folder);
      this.#reserved = Math.max(this.#reserved, reserved);
    } catch {
      // This failure is ignored: the next rise of the clock tries again. Once the reserve is used
      // up, a failure of `#raiseNow` ends the process.
    }
  }
}

function textOf(reserved: number): string {
  return `${JSON.stringify({ reserved, format: fileFormat })}\n`;
}
