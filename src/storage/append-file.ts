import {
  closeSync,
  constants,
  fdatasyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { errorCode, Problem } from "../platform/problem.ts";
import { ownerOnly } from "./file-modes.ts";
import { syncFolderNow } from "./folder.ts";

const newline = 0x0a;

/**
 * A small file of lines for a process that waits until each is on disk. A line is there as a whole or
 * not at all: what a crash or a full disk left of one is cut off. Of one process at a time.
 */
export class AppendFile implements Disposable {
  readonly #path: string;
  #fd: number | undefined;
  /** Up to here it has whole lines. */
  #bytes: number;
  /** There may be something behind them. */
  #isTorn: boolean;
  /** Its name is on disk too. */
  #isNamed: boolean;
  /** What it had when it was opened. */
  readonly lines: readonly string[];

  /**
   * The file comes with its first line.
   * @throws Problem if it is there and can't be read
   */
  constructor(path: string) {
    this.#path = path;
    const content = read(path);
    this.#bytes = content === undefined ? 0 : content.lastIndexOf(newline) + 1;
    this.#isTorn = content !== undefined && this.#bytes < content.length;
    // Who made it may have died before he synced its folder.
    this.#isNamed = false;
    const text = content?.toString("utf8", 0, this.#bytes) ?? "";
    this.lines = text.split("\n").slice(0, -1);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * @param isSynced whether it has to be on disk before this returns
   * @throws what the operating system says; then nothing of the line stays
   */
  append(line: string, isSynced: boolean): void {
    this.#fd ??= openForWriting(this.#path);
    const bytes = Buffer.from(`${line}\n`);
    try {
      this.#cut();
      this.#isTorn = true;
      writeAt(this.#fd, bytes, this.#bytes);
      if (isSynced) this.#sync();
    } catch (error) {
      this.#cutIfPossible();
      throw error;
    }
    this.#bytes += bytes.length;
    this.#isTorn = false;
  }

  /**
   * Has these lines instead of all others: after a crash the old ones or the new.
   * @throws what the operating system says; the old ones stay
   */
  replace(lines: readonly string[]): void {
    const temporary = `${this.#path}.tmp`;
    const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
    let fd: number | undefined;
    try {
      fd = openForWriting(temporary);
      ftruncateSync(fd);
      writeAt(fd, bytes, 0);
      fdatasyncSync(fd);
      renameSync(temporary, this.#path);
    } catch (error) {
      if (fd !== undefined) closeSync(fd);
      rmSync(temporary, { force: true });
      throw error;
    }
    this[Symbol.dispose]();
    this.#fd = fd;
    this.#bytes = bytes.length;
    this.#isTorn = false;
    this.#isNamed = false;
  }

  /** Has no lines. @throws what the operating system says */
  clear(): void {
    this.#fd ??= openForWriting(this.#path);
    ftruncateSync(this.#fd);
    this.#bytes = 0;
    this.#isTorn = false;
  }

  /** Is not there until the next line. @throws what the operating system says */
  remove(): void {
    this[Symbol.dispose]();
    rmSync(this.#path, { force: true });
    this.#bytes = 0;
    this.#isTorn = false;
    this.#isNamed = false;
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #sync(): void {
    if (this.#fd !== undefined) fdatasyncSync(this.#fd);
    if (!this.#isNamed) syncFolderNow(dirname(this.#path));
    this.#isNamed = true;
  }

  #cut(): void {
    if (this.#isTorn && this.#fd !== undefined) ftruncateSync(this.#fd, this.#bytes);
    this.#isTorn = false;
  }

  #cutIfPossible(): void {
    try {
      this.#cut();
    } catch {
      // The next line tries again, and a start drops what no newline ends.
      this.#isTorn = true;
    }
  }
}

function read(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    const said = `${path} can't be read (${errorCode(error)}): check its owner and mode.`;
    throw new Problem(said, 1, { cause: error });
  }
}

/** Not for appending: what is written stands where it is told to. */
function openForWriting(path: string): number {
  return openSync(path, constants.O_RDWR | constants.O_CREAT, ownerOnly);
}

function writeAt(fd: number, bytes: Buffer, position: number): void {
  for (let written = 0; written < bytes.length; ) {
    written += writeSync(fd, bytes, written, bytes.length - written, position + written);
  }
}
