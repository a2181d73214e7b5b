import { renameSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { now } from "../platform/clock.ts";
import { syncFolder, syncNow, writeNow } from "../platform/folder.ts";
import { unwritable } from "../platform/problem.ts";
import { fieldsOf } from "../protocol/fields.ts";
import { type LamportClock, parseClock } from "../protocol/lamport-clock.ts";
import { limits } from "../protocol/limits.ts";
import { readJson } from "./json-file.ts";

const soonMs = 1_000;

/**
 * Keeps a Lamport clock from ever giving a number twice, and from forgetting one that it heard,
 * also after kill -9: the disk is always ahead of it, and a start goes on from what the disk says.
 */
export class ClockFile implements AsyncDisposable {
  readonly #folder: string;
  readonly #path: string;
  readonly #clock: LamportClock;
  readonly #onFailed: (reason: string) => never;
  /** What is on disk. */
  #reserved = 0;
  /** How far ahead of the clock the disk was at the last `#raiseNow`, and when that was. */
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
   * Raises the clock to what the folder says, which is above all numbers that were given before.
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
   * A clock that soon exceeds its reserve again gets a larger one: each costs the process a sync.
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
   * Makes the process wait, since no other may hear of the clock before the disk does. It happens
   * at a start, and when another's clock was far ahead.
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
      // `#raiseNow` may have gone further since.
      if (reserved <= this.#reserved) return;
      renameSync(temporary, this.#path);
      await syncFolder(this.#folder);
      this.#reserved = Math.max(this.#reserved, reserved);
    } catch {
      // The next message tries again; at the end of the reserve it has to succeed.
    }
  }
}

function textOf(reserved: number): string {
  return `${JSON.stringify({ reserved })}\n`;
}
