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
 * Why a person's file was not read: it was damaged and is `aside` now, or it can't be used at all.
 * Where only a part of it was not understood there is a `copy` of all of it.
 */
export type FileTrouble =
  | { readonly path: string; readonly aside: string }
  | { readonly path: string; readonly copy: string }
  | { readonly path: string; readonly code: string };

/**
 * A small JSON file that a person's programs read and write anew. A person may have edited it, and
 * a disk may have damaged it: what can't be understood is put aside, never overwritten.
 */
export class KeptFile<T> {
  readonly #path: string;
  readonly #parse: (value: unknown) => T;
  readonly #tell: (trouble: FileTrouble) => void;
  #toldCode: string | undefined;

  /**
   * @param parse throws if the value is none
   * @param tell is called once for each damaged file, and once while one can't be used
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

  /** @returns undefined if there is none that can be read */
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
    const own = `${this.#path}.${randomHex(4)}`;
    mkdirSync(dirname(this.#path), { recursive: true, mode: ownerOnlyFolder });
    try {
      writeFileSync(own, text, { mode: ownerOnly });
      renameSync(own, this.#path);
    } catch (error) {
      rmSync(own, { force: true });
      throw error;
    }
  }

  /** @throws what the file system says, once it is told */
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

/** Puts aside what has a file's place and is none, such as a folder or a pipe. @throws what the file system says */
export function putAsideNoFile(path: string): FileTrouble | undefined {
  if (statIfThere(path)?.isFile() ?? true) return undefined;
  return { path, aside: putAside(path) };
}

/** Moves what is there to a name of its own beside it. @throws what the file system says */
function putAside(path: string): string {
  const isFolder = lstatSync(path).isDirectory();
  return beside(path, (aside) => {
    // The name is taken first: a file that was put aside earlier is never replaced.
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

/** Copies a file to a name of its own beside it, to stay after a power cut. @throws what the file system says */
export function copyAside(path: string): string {
  const copy = beside(path, (aside) => copyFileSync(path, aside, constants.COPYFILE_EXCL));
  syncNow(copy);
  syncNow(dirname(copy));
  return copy;
}

function beside(path: string, make: (aside: string) => void): string {
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
    // A file has the place of its folder: nothing is there, and whoever saves is told.
    if (errorCode(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

/** @returns no bytes of what is no file, such as a folder or a pipe; undefined if nothing is there */
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
