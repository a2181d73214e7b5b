import { closeSync, fdatasyncSync, openSync, renameSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { now } from "../platform/clock.ts";
import { errorCode } from "../platform/problem.ts";
import { isMap } from "../protocol/fields.ts";
import { type LamportClock, parseClock } from "../protocol/lamport-clock.ts";
import { limits } from "../protocol/limits.ts";
import { syncFolder, syncNow } from "./folder.ts";
import { readJson } from "./json-file.ts";

const soonMs = 1_000;

/**
 * Keeps a Lamport clock from ever saying a number twice, or forgetting one that it heard, also after
 * kill -9: the disk is always ahead of it, and a start goes on from what the disk says.
 */
export class ClockFile implements AsyncDisposable {
  readonly #folder: string;
  readonly #path: string;
  readonly #clock: LamportClock;
  readonly #onFailed: (reason: string) => never;
  /** What is on disk. */
  #reserved = 0;
  /** How far ahead of the clock that was when it was raised last, and when. */
  #reserve: number = limits.clockReserve;
  #raisedMs = Number.NEGATIVE_INFINITY;
  #raising: Promise<void> | undefined;

  private constructor(folder: string, clock: LamportClock, onFailed: (reason: string) => never) {
    this.#folder = folder;
    this.#path = join(folder, "clock.json");
    this.#clock = clock;
    this.#onFailed = onFailed;
  }

  /** Takes the clock to what the folder says, and beyond all that was said before. */
  static async open(
    folder: string,
    clock: LamportClock,
    onFailed: (reason: string) => never,
  ): Promise<ClockFile> {
    const file = new ClockFile(folder, clock, onFailed);
    const saved = await readJson(file.#path, (value) => {
      const reserved = isMap(value) ? parseClock(value.reserved) : undefined;
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

  /** A clock that is soon beyond its reserve again gets a larger one: each costs the process a sync. */
  #nextReserve(): number {
    const { steadyMs } = now();
    const isSoon = steadyMs - this.#raisedMs < soonMs;
    this.#reserve = isSoon
      ? Math.min(2 * this.#reserve, limits.clockReserveMost)
      : limits.clockReserve;
    this.#raisedMs = steadyMs;
    return this.#reserve;
  }

  /** Seldom: a start, or another's clock was far ahead; nobody may hear of it before the disk does. */
  #raiseNow(reserved: number): void {
    const temporary = `${this.#path}.now`;
    try {
      const fd = openSync(temporary, "w");
      try {
        writeFileSync(fd, textOf(reserved));
        fdatasyncSync(fd);
      } finally {
        closeSync(fd);
      }
      renameSync(temporary, this.#path);
      syncNow(this.#folder);
    } catch (error) {
      const full = errorCode(error) === "ENOSPC" ? " The disk is full: free some space." : "";
      this.#onFailed(`${this.#path} can't be written (${(error as Error).message}).${full}`);
    }
    this.#reserved = reserved;
  }

  async #raiseSoon(reserved: number): Promise<void> {
    const temporary = `${this.#path}.tmp`;
    try {
      {
        await using file = await open(temporary, "w");
        await file.writeFile(textOf(reserved));
        await file.datasync();
      }
      // It may have been raised further meanwhile.
      if (reserved <= this.#reserved) return;
      renameSync(temporary, this.#path);
      await syncFolder(this.#folder);
      this.#reserved = Math.max(this.#reserved, reserved);
    } catch {
      // Tried again with the next message; at the end of the reserve it has to succeed.
    }
  }
}

function textOf(reserved: number): string {
  return `${JSON.stringify({ reserved })}\n`;
}
