import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The files of a folder by name, as bytes. */
export type Files = ReadonlyMap<string, Buffer>;

export function readFiles(folder: string): Files {
  const names = readdirSync(folder).sort();
  return new Map(names.map((name) => [name, readFileSync(join(folder, name))]));
}

/** Makes a folder hold these files and nothing else. */
export function plantFiles(folder: string, files: Files): void {
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) {
    if (!files.has(name)) rmSync(join(folder, name), { recursive: true });
  }
  for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes);
}

/** The same files with one of them replaced, or removed if `bytes` is undefined. */
export function withFile(files: Files, name: string, bytes: Buffer | undefined): Files {
  const changed = new Map(files);
  if (bytes === undefined) changed.delete(name);
  else changed.set(name, bytes);
  return changed;
}

/** A copy in which one byte is changed by XOR with the mask. */
export function flipped(bytes: Buffer, at: number, mask: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ mask;
  return copy;
}

/**
 * The number, from 1, of the line that has the byte; a newline belongs to the line that it ends.
 */
export function lineOf(bytes: Buffer, at: number): number {
  return bytes.subarray(0, at).toString("latin1").split("\n").length;
}
