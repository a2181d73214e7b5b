import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { crc32, createGunzip, createGzip } from "node:zlib";
import { ownerOnly } from "../platform/folder.ts";
import { ByteReader } from "./byte-reader.ts";
import { decrypted, encrypted, magic, saltBytes } from "./encrypted-stream.ts";
import { type Manifest, type NamedSize, parseManifest } from "./manifest.ts";

/**
 * A backup is a gzip file. `gunzip` turns it into a sequence of JSON values:
 *
 *     the manifest                  one line, with the sizes and checksums of the files
 *     the files of a saved state    as they are in a server's folder, in the manifest's order
 *     {"checksum":"<64 hex>"}       SHA-256 of all compressed bytes before this last value
 *
 * The last value is a gzip member of its own, of a fixed length. It shows that the file is whole:
 * no other part of a gzip file has a checksum over its headers and its padding.
 */

type Bytes = AsyncIterable<Uint8Array>;

/** The most bytes of the manifest: more than the vector and chains of 10,000 servers need. */
const manifestBytes = 4 * 1024 * 1024;
/** Bytes that are read and written at once. */
const pieceBytes = 256 * 1024;

/** The error if a key is given for a backup that is not encrypted, or none for one that is. */
export class KeyMismatchError extends Error {
  readonly isEncrypted: boolean;

  constructor(isEncrypted: boolean) {
    super(isEncrypted ? "it is encrypted" : "it is not encrypted");
    this.isEncrypted = isEncrypted;
  }
}

interface Packing {
  /** The folder of the saved state. */
  readonly folder: string;
  readonly manifest: Manifest;
  /** The text of the key file; undefined for a backup that is not encrypted. */
  readonly secret: string | undefined;
  readonly signal: AbortSignal;
}

/** Makes a backup, and passes its bytes to `write`. */
export async function pack(
  { folder, manifest, secret, signal }: Packing,
  write: (bytes: Bytes) => Promise<void>,
): Promise<void> {
  const gzip = createGzip();
  const seal = (bytes: Bytes) => (secret === undefined ? bytes : encrypted(bytes, secret));
  await pipeline(contents(folder, manifest), gzip, withEnd, seal, write, { signal });
}

async function* contents(folder: string, manifest: Manifest): AsyncGenerator<Uint8Array> {
  yield Buffer.from(`${JSON.stringify(manifest)}\n`);
  for (const { name } of manifest.files) {
    yield* createReadStream(join(folder, name), { highWaterMark: pieceBytes });
  }
}

async function* withEnd(compressed: Bytes): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  for await (const bytes of compressed) {
    hash.update(bytes);
    yield bytes;
  }
  yield endOf(hash.digest("hex"));
}

const endBytes = endOf("0".repeat(64)).length;

/** Returns the last gzip member, whose data is not compressed (RFC 1951, 3.2.4; RFC 1952). */
function endOf(checksum: string): Buffer {
  const data = Buffer.from(`{"checksum":"${checksum}"}\n`);
  const block = Buffer.alloc(5);
  block.writeUInt8(1, 0);
  block.writeUInt16LE(data.length, 1);
  block.writeUInt16LE(~data.length & 0xffff, 3);
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc32(data), 0);
  trailer.writeUInt32LE(data.length, 4);
  const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
  return Buffer.concat([header, block, data, trailer]);
}

/**
 * Unpacks a backup into a folder, and checks every byte of the backup.
 * @param options the secret and the signal are as in `pack`
 * @throws KeyMismatchError, WrongKeyError, NewerFormatError; the error of the file system if the
 * backup can't be read or the folder can't be written; any other error if the backup is damaged
 */
export async function unpack(
  source: Bytes,
  folder: string,
  { secret, signal }: Pick<Packing, "secret" | "signal">,
): Promise<Manifest> {
  let manifest: Manifest | undefined;
  const gunzip = createGunzip();
  const save = async (bytes: Bytes) => {
    manifest = await unpackContents(new ByteReader(bytes), folder);
  };
  await pipeline(unsealed(source, secret), withoutEnd, gunzip, save, { signal });
  if (manifest === undefined) throw new Error("it is empty");
  return manifest;
}

async function* unsealed(source: Bytes, secret: string | undefined): AsyncGenerator<Uint8Array> {
  const reader = new ByteReader(source);
  const lead = await reader.take(magic.length);
  const isEncrypted = lead.equals(magic);
  if (!isEncrypted && (lead[0] !== 0x1f || lead[1] !== 0x8b)) throw new Error("it is no backup");
  if (isEncrypted !== (secret !== undefined)) throw new KeyMismatchError(isEncrypted);
  if (secret === undefined) {
    yield lead;
    yield* reader.rest();
  } else {
    const salt = await reader.take(saltBytes);
    yield* decrypted(reader.rest(), salt, secret);
  }
}

/** Yields all bytes but the last member. @throws Error if the last member is not the right one */
async function* withoutEnd(compressed: Bytes): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  let held: Buffer = Buffer.alloc(0);
  for await (const bytes of compressed) {
    const all = Buffer.concat([held, bytes]);
    const rest = Math.max(0, all.length - endBytes);
    held = all.subarray(rest);
    hash.update(all.subarray(0, rest));
    yield all.subarray(0, rest);
  }
  if (!held.equals(endOf(hash.digest("hex")))) throw new Error("it is incomplete");
}

async function unpackContents(reader: ByteReader, folder: string): Promise<Manifest> {
  const manifest = parseManifest((await reader.takeLine(manifestBytes)).toString());
  for (const file of manifest.files) await unpackFile(reader, join(folder, file.name), file);
  if ((await reader.take(1)).length > 0) throw new Error("it is longer than its manifest says");
  return manifest;
}

async function unpackFile(reader: ByteReader, path: string, size: NamedSize): Promise<void> {
  const hash = createHash("sha256");
  await using file = await open(path, "wx", ownerOnly);
  for (let left = size.bytes; left > 0; ) {
    const bytes = await reader.take(Math.min(left, pieceBytes));
    if (bytes.length === 0) throw new Error(`${size.name} is incomplete`);
    hash.update(bytes);
    await file.writeFile(bytes);
    left -= bytes.length;
  }
  if (hash.digest("hex") !== size.checksum) throw new Error(`${size.name} is damaged`);
  await file.datasync();
}
