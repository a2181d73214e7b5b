import {
  closeSync,
  constants,
  copyFileSync,
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
import { dirname, join } from "node:path";
import { waitForLockSync } from "fs-native-extensions";
import { ownerOnly, ownerOnlyFolder, syncNow } from "../platform/folder.ts";
import { errorCode } from "../platform/problem.ts";
import { randomHex } from "../platform/random.ts";
import { isMap } from "../protocol/fields.ts";
import { Salvage } from "./salvage.ts";

/**
 * Why a file could not be read, or not all of it. A damaged file has the name `aside` now. If only
 * a part was damaged, `copy` is a copy of the whole. Else the system's `code` says why.
 */
export type FileTrouble =
  | { readonly path: string; readonly aside: string }
  | { readonly path: string; readonly copy: string }
  | { readonly path: string; readonly code: string };

interface Content<T> {
  /** All fields, also those that this version does not know. */
  readonly all: object;
  /** The valid part; undefined if nothing is valid. */
  readonly value: T | undefined;
  readonly isWhole: boolean;
}

/**
 * A small JSON file that a person's programs read and replace. A person may have edited it, or the
 * disk may have damaged it: what can't be understood is kept under another name, and never
 * overwritten. Fields of a newer version stay.
 */
export class KeptFile<T extends object> {
  readonly #path: string;
  readonly #parse: (value: unknown, salvage: Salvage) => T;
  readonly #tell: (trouble: FileTrouble) => void;
  #toldCode: string | undefined;

  /**
   * @param parse returns the valid part of a value, which is undefined if the file is not JSON;
   * throws if nothing is valid
   * @param tell called once for each damaged file, and once while the file can't be read
   */
  constructor(
    path: string,
    parse: (value: unknown, salvage: Salvage) => T,
    tell: (trouble: FileTrouble) => void = () => {},
  ) {
    this.#path = path;
    this.#parse = parse;
    this.#tell = tell;
  }

  /** @returns undefined if no file exists, or it can't be read */
  read(): T | undefined {
    try {
      return this.#telling(() => {
        const there = this.#content();
        if (there === undefined || there.isWhole) return there;
        return locked(dirname(this.#path), () => this.#mended());
      })?.value;
    } catch (error) {
      if (errorCode(error) === undefined) throw error;
      return undefined;
    }
  }

  /**
   * Replaces the file as a whole; after a crash it holds either the old text or the new. Other
   * processes that replace it wait for this.
   * @param next makes the new value from the file's present one
   * @throws what the file system says; a file that can't be read stays as it is
   */
  update(next: (there: T | undefined) => T): void {
    const folder = dirname(this.#path);
    mkdirSync(folder, { recursive: true, mode: ownerOnlyFolder });
    locked(folder, () => {
      const there = this.#telling(() => this.#mended());
      this.#replace({ ...there?.all, ...next(there?.value) });
    });
  }

  /** Puts a damaged file aside, and its valid part in its place. */
  #mended(): Content<T> | undefined {
    const there = this.#content();
    if (there === undefined || there.isWhole) return there;
    const { all, value } = there;
    const isFile = statIfThere(this.#path)?.isFile();
    // The copy comes first: without space for it, the file stays as it is.
    const aside = value !== undefined && isFile ? copyAside(this.#path) : putAside(this.#path);
    if (value !== undefined) this.#replace({ ...all, ...value });
    this.#tell({ path: this.#path, aside });
    return there;
  }

  /** @returns undefined if the path does not exist; a folder or a pipe counts as an empty file */
  #content(): Content<T> | undefined {
    const there = statIfThere(this.#path);
    if (there === undefined) return undefined;
    const bytes = there.isFile() ? readFileSync(this.#path) : Buffer.alloc(0);
    const salvage = new Salvage();
    const json = salvage.value<unknown>(bytes, () => JSON.parse(decodeUtf8(bytes)), undefined);
    const value = salvage.value(json, (given) => this.#parse(given, salvage), undefined);
    return { all: isMap(json) ? json : {}, value, isWhole: salvage.isWhole };
  }

  #replace(value: object): void {
    const temporary = `${this.#path}.${randomHex(4)}`;
    try {
      writeFileSync(temporary, `${JSON.stringify(value)}\n`, { mode: ownerOnly });
      renameSync(temporary, this.#path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  }

  /** @throws what the file system says, after `tell` was called */
  #telling<R>(act: () => R): R {
    try {
      const result = act();
      this.#toldCode = undefined;
      return result;
    } catch (error) {
      const code = errorCode(error);
      if (code !== undefined && code !== this.#toldCode) this.#tell({ path: this.#path, code });
      this.#toldCode = code;
      throw error;
    }
  }
}

/**
 * Acts while no other process does so in this folder. Of two processes that read and replace a file
 * at once, one would lose the other's change.
 */
function locked<R>(folder: string, act: () => R): R {
  const fd = openSync(join(folder, "lock"), "a+", ownerOnly);
  try {
    waitForLockSync(fd);
    return act();
  } finally {
    // Closing frees the lock, and so does a crash.
    closeSync(fd);
  }
}

/**
 * The text, without the byte order mark that some editors write.
 * @throws TypeError if it is not UTF-8: replacement letters would be written back to the file
 */
export function decodeUtf8(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}

/**
 * Puts aside a folder or a pipe that has the name of a file.
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
    // The name is taken first, so that a file that was put aside earlier is never replaced.
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
