import { closeSync, fsyncSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/** The mode of files with credentials, such as journals and saved states. */
export const ownerOnly = 0o600;
/** The mode of folders that contain files with credentials. */
export const ownerOnlyFolder = 0o700;

/**
 * Syncs a folder, so that created, changed or removed names in it survive a power cut. The sync may
 * wait for other files on the same disk.
 */
export async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, "r");
  await folder.sync();
}

/** Syncs a file or a folder, and blocks the process until the sync is done. */
export function syncNow(path: string): void {
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Writes a file and syncs its content. The file's name is on disk only after a sync of its folder.
 */
export function writeNow(path: string, text: string, mode?: number): void {
  const fd = openSync(path, "w", mode);
  try {
    writeFileSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Creates a folder and its missing parents, and syncs them, so that they survive a power cut. */
export function makeFolder(path: string, mode?: number): void {
  const first = mkdirSync(path, { recursive: true, mode });
  if (first === undefined) return;
  const top = dirname(resolve(first));
  for (let made = resolve(path); made !== top; made = dirname(made)) syncNow(made);
  syncNow(top);
}

/**
 * Writes all bytes at a position of a file. The system may write only a part at once, so this
 * function repeats the call.
 */
export function writeAt(fd: number, bytes: Uint8Array, position: number): void {
  for (let written = 0; written < bytes.length; ) {
    written += writeSync(fd, bytes, written, bytes.length - written, position + written);
  }
}
