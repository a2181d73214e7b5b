import { closeSync, fsyncSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/** The mode of files with credentials, such as journals and saved states. */
export const ownerOnly = 0o600;
/** The same for a folder. */
export const ownerOnlyFolder = 0o700;

/**
 * Syncs a folder, so that names that were made, changed or removed in it survive a power cut. It
 * may take as long as the disk is busy with other files.
 */
export async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, "r");
  await folder.sync();
}

/** As `syncFolder`, where the process has to wait for it. Syncs a file as well. */
export function syncNow(path: string): void {
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Writes a file and syncs it; its name is on disk once its folder is synced. */
export function writeNow(path: string, text: string, mode?: number): void {
  const fd = openSync(path, "w", mode);
  try {
    writeFileSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Makes a folder and those above it, so that they survive a power cut. */
export function makeFolder(path: string, mode?: number): void {
  const first = mkdirSync(path, { recursive: true, mode });
  if (first === undefined) return;
  const top = dirname(resolve(first));
  for (let made = resolve(path); made !== top; made = dirname(made)) syncNow(made);
  syncNow(top);
}

/** Writes all bytes at a place of a file: the system may take a part at a time. */
export function writeAt(fd: number, bytes: Uint8Array, position: number): void {
  for (let written = 0; written < bytes.length; ) {
    written += writeSync(fd, bytes, written, bytes.length - written, position + written);
  }
}
