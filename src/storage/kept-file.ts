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
import { checkFormat, fileFormat } from "./file-format.ts";
import { Salvage } from "./salvage.ts";

/**
 * Why a file could not be read completely. `aside` is the new name of a damaged file. If only a
 * part was damaged, `copy` is the name of a copy of the damaged file. `code` is the system's error
 * code if the file can't be read.
 */
export type FileTrouble =
  | { readonly path: string; readonly aside: string }
  | { readonly path: string; readonly copy: string }
  | { readonly path: string; readonly code: string };

interface Content<T> {
  /** All fields, including fields that this version does not know. */
  readonly all: object;
  /** The valid part; undefined if no part is valid. */
  readonly value: T | undefined;
  readonly isWhole: boolean;
}

/**
 * A small JSON file that several programs of one user read and replace. A user may have edited the
 * file, or the disk may have damaged it. A damaged file, or a copy of it, stays under another name.
 * Fields that only a newer version knows stay in the file. A file of a newer format stays unchanged.
 */
export class KeptFile<T extends object> {
  readonly #path: string;
  readonly #parse: (value: unknown, salvage: Salvage) => T;
  readonly #tell: (trouble: FileTrouble) => void;
  #toldCode: string | undefined;

  /**
   * @param parse gets the file's JSON value, or undefined if the file is not JSON; returns the
   * valid part, and throws if no part is valid
   * @param tell called once for each damaged file, when reading begins to fail, and when the reason
   * of the failure changes
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

  /**
   * @returns undefined if the file does not exist, can't be read, or has no valid part
   * @throws Problem if the file has a newer format
   */
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
   * Replaces the file as a whole: after a crash it holds either the old text or the new one.
   * Updates of other processes wait until this update is done.
   * @param next returns the new value, given the file's present value
   * @throws the error of the file system; an unreadable file stays unchanged. Problem if the file
   * has a newer format
   */
  update(next: (there: T | undefined) => T): void {
    const folder = dirname(this.#path);
    mkdirSync(folder, { recursive: true, mode: ownerOnlyFolder });
    locked(folder, () => {
      const there = this.#telling(() => this.#mended());
      this.#replace({ ...there?.all, ...next(there?.value) });
    });
  }

  /**
   * Puts a damaged file, or a copy of it, under another name. If a part of the file is valid,
   * replaces the file by that part.
   */
  #mended(): Content<T> | undefined {
    const there = this.#content();
    if (there === undefined || there.isWhole) return there;
    const { all, value } = there;
    const isFile = statIfThere(this.#path)?.isFile();
    // The copy is made first, so that the file stays unchanged if the disk has no space for the
    // copy.
    const aside = value !== undefined && isFile ? copyAside(this.#path) : putAside(this.#path);
    if (value !== undefined) this.#replace({ ...all, ...value });
    this.#tell({ path: this.#path, aside });
    return there;
  }

  /** @returns undefined if the path does not exist; a folder or pipe counts as an empty file */
  #content(): Content<T> | undefined {
    const there = statIfThere(this.#path);
    if (there === undefined) return undefined;
    const bytes = there.isFile() ? readFileSync(this.#path) : Buffer.alloc(0);
    const salvage = new Salvage();
    const json = salvage.value<unknown>(bytes, () => JSON.parse(decodeUtf8(bytes)), undefined);
    checkFormat(this.#path, json);
    const value = salvage.value(json, (given) => this.#parse(given, salvage), undefined);
    return { all: isMap(json) ? json : {}, value, isWhole: salvage.isWhole };
  }

  #replace(value: object): void {
    const temporary = `${this.#path}.${randomHex(4)}`;
    try {
      writeFileSync(temporary, `${JSON.stringify({ ...value, format: fileFormat })}\n`, {
        mode: ownerOnly,
      });
      renameSync(temporary, this.#path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  }

  /** @throws the error of the file system, after calling `tell` */
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
 * Runs `act` while this process holds the lock of the folder. Without the lock, two processes that
 * update a file at once could lose one update.
 */
function locked<R>(folder: string, act: () => R): R {
  const fd = openSync(join(folder, "lock"), "a+", ownerOnly);
  try {
    waitForLockSync(fd);
    return act();
  } finally {
    // Closing the descriptor releases the lock, and so does a crash.
    closeSync(fd);
  }
}

/**
 * Decodes UTF-8, and drops a byte order mark, which some editors write.
 * @throws TypeError for invalid UTF-8, because replacement characters would be written back to the
 * file
 */
export function decodeUtf8(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}

/**
 * Renames a folder or pipe that is in the place of a file.
 * @returns undefined if the path is a file or does not exist
 * @throws the error of the file system
 */
export function putAsideNoFile(path: string): FileTrouble | undefined {
  if (statIfThere(path)?.isFile() ?? true) return undefined;
  return { path, aside: putAside(path) };
}

/** Renames a file or folder to a free name beside it. @throws the error of the file system */
function putAside(path: string): string {
  const isFolder = lstatSync(path).isDirectory();
  return underFreeName(path, (aside) => {
    // The new name is created first, so that a file renamed earlier is never replaced.
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
 * @throws the error of the file system
 */
export function copyAside(path: string): string {
  const copy = underFreeName(path, (aside) => copyFileSync(path, aside, constants.COPYFILE_EXCL));
  syncNow(copy);
  syncNow(dirname(copy));
  return copy;
}

/** @param make throws EEXIST if the name is in use */
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
    // A file has the name of the folder, so the path does not exist.
    if (errorCode(error) === "ENOTDIR") return undefined;
    throw error;
  }
}
