import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from "node:crypto";
import { inPieces } from "./byte-reader.ts";

/** The first bytes of an encrypted backup. */
export const magic = Buffer.from("TERTENC1");
export const saltBytes = 16;
const pieceBytes = 64 * 1024;
const tagBytes = 16;
const keyBytes = 32;
/**
 * The work of guessing one key: 32 MiB of memory and about 100 ms, because a person may choose a
 * weak text.
 */
const work = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };

/** The error if the first piece can't be decrypted: the key is another one, or the file is damaged. */
export class WrongKeyError extends Error {}

/**
 * Encrypts a stream with AES-256-GCM in pieces of 64 KiB. A piece's nonce has its number and a mark
 * of the last piece, so no piece can be moved, left out or cut off. Each stream has a key of its
 * own, because its salt is random, so no nonce is used twice with one key.
 *
 *     magic (8 bytes) | salt (16 bytes) | pieces: ciphertext, tag (16 bytes)
 *
 * Source: V. T. Hoang et al., "Online Authenticated-Encryption and its Nonce-Reuse
 * Misuse-Resistance", 2015 (the construction STREAM).
 * @param secret the text of the key file
 */
export async function* encrypted(
  plain: AsyncIterable<Uint8Array>,
  secret: string,
): AsyncGenerator<Buffer> {
  const salt = randomBytes(saltBytes);
  const key = keyOf(secret, salt);
  yield Buffer.concat([magic, salt]);
  let number = 0;
  for await (const { piece, isLast } of inPieces(plain, pieceBytes)) {
    const cipher = createCipheriv("aes-256-gcm", key, nonceOf(number, isLast));
    yield Buffer.concat([cipher.update(piece), cipher.final(), cipher.getAuthTag()]);
    number += 1;
  }
}

/**
 * Decrypts the pieces of a stream that `encrypted` has made.
 * @throws WrongKeyError if the first piece can't be decrypted, Error if a later piece can't be
 */
export async function* decrypted(
  pieces: AsyncIterable<Uint8Array>,
  salt: Uint8Array,
  secret: string,
): AsyncGenerator<Buffer> {
  const key = keyOf(secret, salt);
  let number = 0;
  for await (const { piece, isLast } of inPieces(pieces, pieceBytes + tagBytes)) {
    const plain = open(piece, key, nonceOf(number, isLast));
    if (plain === undefined) {
      const why = `piece ${number} can't be decrypted`;
      throw number === 0 ? new WrongKeyError(why) : new Error(why);
    }
    yield plain;
    number += 1;
  }
}

/** @returns undefined if the piece was not encrypted with this key and nonce */
function open(sealed: Buffer, key: Buffer, nonce: Buffer): Buffer | undefined {
  const end = sealed.length - tagBytes;
  if (end < 0) return undefined;
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: tagBytes });
  decipher.setAuthTag(sealed.subarray(end));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(0, end)), decipher.final()]);
  } catch {
    return undefined;
  }
}

function keyOf(secret: string, salt: Uint8Array): Buffer {
  return scryptSync(secret, salt, keyBytes, work);
}

/** Returns a nonce of 12 bytes. */
function nonceOf(number: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeBigUInt64BE(BigInt(number), 0);
  nonce.writeUInt8(isLast ? 1 : 0, 11);
  return nonce;
}
