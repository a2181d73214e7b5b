import {
  closeSync,
  constants,
  copyFileSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { errorCode } from "../platform/problem.ts";
import { randomHex } from "../platform/random.ts";
import { ownerOnly, ownerOnlyFolder } from "./file-modes.ts";
import { syncNow } from "./folder.ts";

/**
 * Why a file could not be read: it was damaged, and is now under the name `aside`; or the system's
 * code. If only a part could not be understood, `copy` holds all of it.
 */
export type FileTrouble =
  | { readonly path: string; readonly aside: string }
  | { readonly path: string; readonly copy: string }
  | { readonly path: string; readonly code: string };

/**
 * A small JSON file that a person's programs read and replace. A person may have edited it, or a
 * disk damaged it: a file that can't be understood is put aside under another name, never
 * overwritten.
 */
export class KeptFile<T> {
  readonly #path: string;
  readonly #parse: (value: unknown) => T;
  readonly #tell: (trouble: FileTrouble) => void;
  #toldCode: string | undefined;

  /**
   * @param parse throws if the value is invalid
   * @param tell is called once for each damaged file, and once while the file can't be read
   */
  constructor(
    path: string,
    parse: (value: unknown) => T,
    tell: (trouble: FileTrouble) => void = () => {},
  ) {
    this.#path = path;
    this.#parse = parse;
    this.#tell = tell;
  }

  /** @returns undefined if there is no file that can be read */
  read(): T | undefined {
    try {
      return this.#take();
    } catch (error) {
      if (errorCode(error) === undefined) throw error;
      return undefined;
    }
  }

  /**
   * Replaces the file as a whole; after a crash it holds either the old text or the new.
   * @param next makes the new value from what the file holds at this moment
   * @throws what the file system says; a file that can't be read stays as it is
   */
  update(next: (there: T | undefined) => object): void {
    const text = `${JSON.stringify(next(this.#take()))}\n`;
    const temporary = `${this.#path}.${randomHex(4)}`;
    mkdirSync(dirname(this.#path), { recursive: true, mode: ownerOnlyFolder });
    try {
      writeFileSync(temporary, text, { mode: ownerOnly });
      renameSync(temporary, this.#path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  }

  /** @throws what the file system says, after `tell` was called */
  #take(): T | undefined {
    try {
      for (;;) {
        const found = readRegular(this.#path);
        if (found === undefined) return undefined;
        const value = this.#understand(found.bytes);
        if (value !== undefined) return value;
        // Another program may have put it aside already, and written a good one.
        if (statSync(this.#path, { throwIfNoEntry: false })?.ino !== found.inode) continue;
        this.#tell({ path: this.#path, aside: putAside(this.#path) });
        return undefined;
      }
    } catch (error) {
      const code = errorCode(error);
      if (code !== undefined && code !== this.#toldCode) this.#tell({ path: this.#path, code });
      this.#toldCode = code;
      throw error;
    }
  }

  #understand(bytes: Buffer | undefined): T | undefined {
    if (bytes === undefined) return undefined;
    try {
      return this.#parse(JSON.parse(decodeUtf8(bytes)));
    } catch {
      return undefined;
    }
  }
}

/**
 * The text without the byte order mark that some editors put in front.
 * @throws TypeError if it is not UTF-8: replaced letters would be written back as if they were meant
 */
export function decodeUtf8(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}

/**
 * Puts aside what is not a file but has a file's name, such as a folder or a pipe.
 * @throws what the file system says
 */
export function putAsideNoFile(path: string): FileTrouble | undefined {
  if (statIfThere(path)?.isFile() ?? true) return undefined;
  return { path, aside: putAside(path) };
}

/** Moves a file or folder to a free name beside it. @throws what the file system says */
function putAside(path: string): string {
  const isFolder = lstatSync(path).isDirectory();
  return underFreeName(path, (aside) => {
    // Taking the name first makes sure that a file that was put aside earlier is never replaced.
    if (isFolder) mkdirSync(aside);
    else closeSync(openSync(aside, "wx", ownerOnly));
    try {
      renameSync(path, aside);
    } catch (error) {
      rmSync(aside, { recursive: true });
      throw error;
    }
  });
}

/**
 * Copies a file to a free name beside it; the copy survives a power cut.
 * @throws what the file system says
 */
export function copyAside(path: string): string {
  const copy = underFreeName(path, (aside) => copyFileSync(path, aside, constants.COPYFILE_EXCL));
  syncNow(copy);
  syncNow(dirname(copy));
  return copy;
}

/** @param make throws EEXIST if the name is not free */
function underFreeName(path: string, make: (aside: string) => void): string {
  for (let number = 1; ; number += 1) {
    const aside = `${path}.damaged-${number}`;
    try {
      make(aside);
      return aside;
    } catch (error) {
      if (errorCode(error) !== "EEXIST") throw error;
    }
  }
}

function statIfThere(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    // A file stands where the folder would be: nothing can be read, and saving will fail.
    if (errorCode(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

/** @returns undefined if nothing is there, and no bytes if it is not a file (a folder, a pipe) */
function readRegular(path: string): { inode: number; bytes: Buffer | undefined } | undefined {
  const there = statIfThere(path);
  if (there === undefined) return undefined;
  if (!there.isFile()) return { inode: there.ino, bytes: undefined };
  const fd = openSync(path, "r");
  try {
    return { inode: fstatSync(fd).ino, bytes: readFileSync(fd) };
  } finally {
    closeSync(fd);
  }
}
