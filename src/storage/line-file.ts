import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { open } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { ownerOnly } from "./file-modes.ts";

/** Bytes gathered before a write gives the event loop its turn: about a millisecond's work. */
const pieceBytes = 64 * 1024;
/** Bytes read at a time. */
const chunkBytes = 4 * 1024 * 1024;
const newline = 0x0a;

/** What a file has to hold: its size, its SHA-256, and the CRC-32 of each of its lines. */
export interface LineFile {
  readonly bytes: number;
  readonly checksum: string;
  readonly lines: Uint32Array;
}

/** CRC-32 of lines as they come, in a list that grows by doubling. */
export class LineChecksums {
  #list = new Uint32Array(1_024);
  #count = 0;

  add(line: string | Uint8Array): void {
    if (this.#count === this.#list.length) {
      const larger = new Uint32Array(2 * this.#count);
      larger.set(this.#list);
      this.#list = larger;
    }
    this.#list[this.#count] = crc32(line);
    this.#count += 1;
  }

  get list(): Uint32Array {
    return this.#list.slice(0, this.#count);
  }
}

/**
 * Writes a new file line by line, and syncs it. Other work goes on meanwhile.
 * @param lines each with its newline
 */
export async function writeLineFile(
  path: string,
  lines: Iterable<string>,
  signal?: AbortSignal,
): Promise<LineFile> {
  const hash = createHash("sha256");
  const checksums = new LineChecksums();
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
    checksums.add(line);
    gathered += line;
    if (gathered.length >= pieceBytes) await write();
  }
  await write();
  await file.datasync();
  return { bytes, checksum: hash.digest("hex"), lines: checksums.list };
}

/** The size and the SHA-256 of a file, or of its first bytes. */
export function measureFile(
  path: string,
  most = Number.POSITIVE_INFINITY,
): { bytes: number; checksum: string } {
  const hash = createHash("sha256");
  let bytes = 0;
  for (const chunk of chunksOf(path)) {
    const part = chunk.subarray(0, Math.max(0, most - bytes));
    hash.update(part);
    bytes += part.length;
  }
  return { bytes, checksum: hash.digest("hex") };
}

/** The last bytes of a file, as text. */
export function readEnd(path: string, bytes: number): string {
  const fd = openSync(path, "r");
  try {
    const end = Buffer.alloc(bytes);
    const read = readSync(fd, end, 0, bytes, Math.max(0, fstatSync(fd).size - bytes));
    return end.toString("latin1", 0, read);
  } finally {
    closeSync(fd);
  }
}

/** The first line, from 1, whose checksum is another; undefined if all are as they should be. */
export function findDamagedLine(path: string, expected: Uint32Array): number | undefined {
  let number = 0;
  for (const line of rawLinesOf(path)) {
    number += 1;
    if (line.at(-1) !== newline || crc32(line) !== expected[number - 1]) return number;
  }
  return number < expected.length ? number + 1 : undefined;
}

/** As `writeLineFile` gives them. */
export function readLineChecksums(path: string): Uint32Array {
  const checksums = new LineChecksums();
  for (const line of rawLinesOf(path)) checksums.add(line);
  return checksums.list;
}

/** Lines with their newlines; what no newline ends is a line too. */
function* rawLinesOf(path: string): Generator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for (const chunk of chunksOf(path)) {
    let bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline)) {
      yield bytes.subarray(0, end + 1);
      bytes = bytes.subarray(end + 1);
    }
    rest = Buffer.from(bytes);
  }
  if (rest.length > 0) yield rest;
}

/** The lines of a file, without their newlines; what no newline ends is a line too. */
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
