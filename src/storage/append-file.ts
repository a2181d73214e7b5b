import {
  closeSync,
  constants,
  fdatasyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { dirname } from "node:path";
import { ownerOnly, syncNow, writeAt } from "../platform/folder.ts";
import { errorCode, Problem } from "../platform/problem.ts";

const newline = 0x0a;
const carriageReturn = 0x0d;

/**
 * A small file of lines, for a process that waits until each line is on disk. What a full disk took
 * of a line is cut off again. What a crash left of a line stays, and the next line begins behind
 * it. One process at a time may use it.
 */
export class AppendFile implements Disposable {
  readonly #path: string;
  readonly #temporary: string;
  #fd: number | undefined;
  /** Bytes of what was found and of whole lines. */
  #bytes = 0;
  /** What was found ends without a newline: the next line brings it. */
  #isUnended = false;
  /** Part of a line may stand behind these bytes. */
  #isTorn = false;
  /** Whether the file's name is on disk too: the process that made it may have died before. */
  #isNamed = false;
  /** The lines when it was opened, in whatever encoding another program may have left them. */
  readonly lines: readonly Uint8Array[];
  /** What stood behind the last newline, if anything did. */
  readonly unended: Uint8Array | undefined;

  /**
   * The file is made with its first line.
   * @throws Problem if it exists and can't be read
   */
  constructor(path: string) {
    this.#path = path;
    this.#temporary = `${path}.tmp`;
    const content = read(path);
    this.#bytes = content.length;
    this.#isUnended = content.length > 0 && !isLineEnd(content.at(-1));
    const lines = split(content);
    this.unended = this.#isUnended ? lines.pop() : undefined;
    this.lines = lines;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * @param isSynced whether the line must be on disk before this returns
   * @throws what the operating system says; then nothing of the line stays
   */
  append(line: string, isSynced: boolean): void {
    this.#fd ??= openForWriting(this.#path);
    const bytes = Buffer.from(`${this.#isUnended ? "\n" : ""}${line}\n`);
    this.#cut(this.#fd);
    this.#isTorn = true;
    try {
      writeAt(this.#fd, bytes, this.#bytes);
      if (isSynced) this.#sync(this.#fd);
    } catch (error) {
      this.#cutIfPossible(this.#fd);
      throw error;
    }
    this.#hold(this.#bytes + bytes.length);
  }

  /**
   * Puts these lines in place of all others: after a crash the file has the old ones or the new.
   * @throws what the operating system says; the old ones stay
   */
  replace(lines: readonly string[]): void {
    const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
    let fd: number | undefined;
    try {
      fd = openForWriting(this.#temporary);
      ftruncateSync(fd);
      writeAt(fd, bytes, 0);
      fdatasyncSync(fd);
      renameSync(this.#temporary, this.#path);
    } catch (error) {
      if (fd !== undefined) closeSync(fd);
      rmSync(this.#temporary, { force: true });
      throw error;
    }
    this[Symbol.dispose]();
    this.#fd = fd;
    this.#isNamed = false;
    this.#hold(bytes.length);
  }

  /** Removes the file, until the next line. @throws what the operating system says */
  remove(): void {
    this[Symbol.dispose]();
    rmSync(this.#path, { force: true });
    // A process that was killed in `replace` has left it.
    rmSync(this.#temporary, { force: true });
    this.#isNamed = false;
    this.#hold(0);
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  /** The file has so many bytes, all in whole lines. */
  #hold(bytes: number): void {
    this.#bytes = bytes;
    this.#isTorn = false;
    this.#isUnended = false;
  }

  #sync(fd: number): void {
    fdatasyncSync(fd);
    if (!this.#isNamed) syncNow(dirname(this.#path));
    this.#isNamed = true;
  }

  #cut(fd: number): void {
    if (this.#isTorn) ftruncateSync(fd, this.#bytes);
    this.#isTorn = false;
  }

  #cutIfPossible(fd: number): void {
    try {
      this.#cut(fd);
    } catch {
      // The next line tries again.
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

/** Splits at LF, CR LF and CR. Empty lines are left out. */
function split(content: Buffer): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let start = 0, end = 0; start < content.length; start = end + 1) {
    end = start;
    while (end < content.length && !isLineEnd(content[end])) end += 1;
    if (end > start) lines.push(content.subarray(start, end));
  }
  return lines;
}

/** Opens the file, or makes it. Not in append mode, which would ignore the place of a write. */
function openForWriting(path: string): number {
  return openSync(path, constants.O_RDWR | constants.O_CREAT, ownerOnly);
}
