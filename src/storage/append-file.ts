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
 * A small file of lines, for a process that can block until a line is on disk. If a write fails,
 * the partial line is removed. If a crash leaves a partial line, that line stays, and the next
 * append begins a new line. Only one process at a time may use the file.
 */
export class AppendFile implements Disposable {
  readonly #path: string;
  readonly #temporary: string;
  #fd: number | undefined;
  /**
   * Bytes of the file's content at opening, plus the bytes of all whole lines appended since then.
   */
  #bytes = 0;
  /**
   * Whether the content at opening ends without a newline; the next append then writes a newline
   * first.
   */
  #isUnended = false;
  /**
   * Whether, after a failed write, part of a line may follow the first `#bytes` bytes of the file.
   */
  #isTorn = false;
  /**
   * Whether this process has synced the folder, and so the file's name. The process that created
   * the file may have died before that sync.
   */
  #isNamed = false;
  /** The lines at opening, as bytes, because another program may have used any encoding. */
  readonly lines: readonly Uint8Array[];
  /** The bytes after the last newline at opening; undefined if there were none. */
  readonly unended: Uint8Array | undefined;

  /**
   * Reads the existing lines. The first append creates a missing file.
   * @throws Problem if the file exists and can't be read
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
   * @param isSynced whether `append` returns only when the line is on disk
   * @throws the error of the operating system; the part of the line that was written is removed at
   * once or by the next append
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
   * Replaces all lines of the file. After a crash the file has either all old lines or all new
   * lines.
   * @throws the error of the operating system; the old lines stay
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

  /**
   * Removes the file; the next append creates it again. @throws the error of the operating system
   */
  remove(): void {
    this[Symbol.dispose]();
    rmSync(this.#path, { force: true });
    // A process killed in `replace` may have left the temporary file.
    rmSync(this.#temporary, { force: true });
    this.#isNamed = false;
    this.#hold(0);
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  /** Records that the file has this many bytes, all in whole lines. */
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
      // The next append tries again to remove the partial line.
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

/** Splits the content at LF, CR LF and CR; leaves out empty lines. */
function split(content: Buffer): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let start = 0, end = 0; start < content.length; start = end + 1) {
    end = start;
    while (end < content.length && !isLineEnd(content[end])) end += 1;
    if (end > start) lines.push(content.subarray(start, end));
  }
  return lines;
}

/**
 * Opens or creates the file. Append mode is not used, because it ignores the position of a write.
 */
function openForWriting(path: string): number {
  return openSync(path, constants.O_RDWR | constants.O_CREAT, ownerOnly);
}
