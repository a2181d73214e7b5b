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
import { syncNow } from "./folder.ts";

const newline = 0x0a;
const carriageReturn = 0x0d;

/**
 * A small file of lines for a process that waits until each is on disk. What a full disk took of one
 * is cut off; what a crash left of one stays as it was found, and is no other line's beginning. Of one
 * process at a time.
 */
export class AppendFile implements Disposable {
  readonly #path: string;
  #fd: number | undefined;
  /** Up to here it has what was found and whole lines. */
  #bytes: number;
  /** What was found ends in no newline: the next line brings it. */
  #isUnended: boolean;
  /** There may be something behind them. */
  #isTorn = false;
  /** Its name is on disk too. */
  #isNamed: boolean;
  /** What it had when it was opened, in whatever encoding another program may have left it. */
  readonly lines: readonly Uint8Array[];
  /** What stood behind the last newline, if anything did. */
  readonly unended: Uint8Array | undefined;

  /**
   * The file comes with its first line.
   * @throws Problem if it is there and can't be read
   */
  constructor(path: string) {
    this.#path = path;
    const content = read(path);
    this.#bytes = content.length;
    this.#isUnended = content.length > 0 && !isLineEnd(content.at(-1));
    // Who made it may have died before he synced its folder.
    this.#isNamed = false;
    const lines = split(content);
    this.unended = this.#isUnended ? lines.pop() : undefined;
    this.lines = lines;
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
    const bytes = Buffer.from(`${this.#isUnended ? "\n" : ""}${line}\n`);
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
    this.#isUnended = false;
  }

  /**
   * Has these lines instead of all others: after a crash the old ones or the new.
   * @throws what the operating system says; the old ones stay
   */
  replace(lines: readonly string[]): void {
    const temporary = this.#temporary;
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
    this.#isUnended = false;
    this.#isNamed = false;
  }

  /** Has no lines. @throws what the operating system says */
  clear(): void {
    this.#fd ??= openForWriting(this.#path);
    ftruncateSync(this.#fd);
    this.#bytes = 0;
    this.#isTorn = false;
    this.#isUnended = false;
  }

  /** Is not there until the next line. @throws what the operating system says */
  remove(): void {
    this[Symbol.dispose]();
    rmSync(this.#path, { force: true });
    // Of a process that was killed while it wrote all lines anew.
    rmSync(this.#temporary, { force: true });
    this.#bytes = 0;
    this.#isTorn = false;
    this.#isUnended = false;
    this.#isNamed = false;
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  get #temporary(): string {
    return `${this.#path}.tmp`;
  }

  #sync(): void {
    if (this.#fd !== undefined) fdatasyncSync(this.#fd);
    if (!this.#isNamed) syncNow(dirname(this.#path));
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
      // The next line tries again.
      this.#isTorn = true;
    }
  }
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return Buffer.alloc(0);
    const said = `${path} can't be read (${errorCode(error)}): check its owner and mode.`;
    throw new Problem(said, 1, { cause: error });
  }
}

function isLineEnd(byte: number | undefined): boolean {
  return byte === newline || byte === carriageReturn;
}

/** The lines, without empty ones: so CR LF and a CR alone are ends as well. */
function split(content: Buffer): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let start = 0, end = 0; start < content.length; start = end + 1) {
    end = start;
    while (end < content.length && !isLineEnd(content[end])) end += 1;
    if (end > start) lines.push(content.subarray(start, end));
  }
  return lines;
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
