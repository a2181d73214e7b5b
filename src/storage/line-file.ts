import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { open } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { ownerOnly } from "../platform/folder.ts";

/**
 * Bytes gathered before each write: about a millisecond of work. Other work runs during the write.
 */
const pieceBytes = 64 * 1024;
/** The most bytes of one read. */
const chunkBytes = 4 * 1024 * 1024;
const newline = 0x0a;

/** The size of a file in bytes, and its SHA-256. */
export interface Size {
  readonly bytes: number;
  readonly checksum: string;
}

/**
 * Writes a new file line by line, and syncs it.
 * @param lines the lines, each with its newline
 * @returns the size, the checksum, and the CRC-32 of each line
 */
export async function writeLineFile(
  path: string,
  lines: Iterable<string>,
  signal?: AbortSignal,
): Promise<Size & { readonly lines: readonly number[] }> {
  const hash = createHash("sha256");
  const checksums: number[] = [];
  let bytes = 0;
  let gathered = "";
  await using file = await open(path, "w", ownerOnly);
  const write = async () => {
    const piece = Buffer.from(gathered);
    gathered = "";
    hash.update(piece);
    bytes += piece.length;
    await file.writeFile(piece);
    signal?.throwIfAborted();
  };
  for (const line of lines) {
    checksums.push(crc32(line));
    gathered += line;
    if (gathered.length >= pieceBytes) await write();
  }
  await write();
  await file.datasync();
  return { bytes, checksum: hash.digest("hex"), lines: checksums };
}

/** Returns the size and SHA-256 of a file's first `most` bytes, and the text after these bytes. */
export function measureFile(
  path: string,
  most = Number.POSITIVE_INFINITY,
): Size & { readonly rest: string } {
  const hash = createHash("sha256");
  let bytes = 0;
  let rest = "";
  for (const chunk of chunksOf(path)) {
    const part = chunk.subarray(0, Math.max(0, most - bytes));
    hash.update(part);
    bytes += part.length;
    rest += chunk.toString("latin1", part.length);
  }
  return { bytes, checksum: hash.digest("hex"), rest };
}

/**
 * Returns a CRC-32 for each line, over the line and a newline. The last line counts as ended by a
 * newline even if it lacks one.
 */
export function lineChecksums(path: string): number[] {
  return Array.from(linesOf(path), (line) => crc32(`${line}\n`));
}

/**
 * Returns the first line, from 1, that differs from its checksum, is missing or is surplus. If all
 * lines of a damaged file match, the last line must lack its newline, so the number of the last
 * line is returned.
 */
export function findDamagedLine(path: string, expected: readonly number[]): number {
  const found = lineChecksums(path);
  const at = found.findIndex((checksum, index) => checksum !== expected[index]);
  if (at >= 0) return at + 1;
  return found.length < expected.length ? found.length + 1 : Math.max(1, found.length);
}

/** Returns the lines of a file, without newlines. Text after the last newline counts as a line. */
export function* linesOf(path: string): Generator<string> {
  let rest: Buffer = Buffer.alloc(0);
  for (const chunk of chunksOf(path)) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const end = bytes.lastIndexOf(newline);
    if (end >= 0) yield* bytes.toString("utf8", 0, end).split("\n");
    rest = Buffer.from(bytes.subarray(end + 1));
  }
  if (rest.length > 0) yield rest.toString("utf8");
}

function* chunksOf(path: string): Generator<Buffer> {
  const fd = openSync(path, "r");
  try {
    for (;;) {
      const chunk = Buffer.allocUnsafe(chunkBytes);
      const bytes = readSync(fd, chunk);
      if (bytes === 0) return;
      yield chunk.subarray(0, bytes);
    }
  } finally {
    closeSync(fd);
  }
}
