import { hsalsa } from "@noble/ciphers/salsa.js";
import sodium from "sodium-native";

// NaCl's `crypto_box` (X25519, XSalsa20, Poly1305). The shared key is computed once, and then used
// for all boxes of a connection.

export const keyBytes = 32;
export const macBytes = 16;

/** The constants of HSalsa20: "expand 32-byte k" as four words, and an input of zeros. */
const sigma = new Uint32Array([0x61707865, 0x3320646e, 0x79622d32, 0x6b206574]);
const zeros = new Uint32Array(4);

export function publicKeyOf(secretKey: Uint8Array): Uint8Array {
  const publicKey = Buffer.alloc(keyBytes);
  sodium.crypto_scalarmult_base(publicKey, secretKey);
  return publicKey;
}

/**
 * Returns the key that both sides compute (`crypto_box_beforenm`).
 * @returns undefined for a weak public key, for which any process could compute the shared key
 */
export function sharedKey(publicKey: Uint8Array, secretKey: Uint8Array): Uint8Array | undefined {
  const point = Buffer.alloc(keyBytes);
  try {
    sodium.crypto_scalarmult(point, secretKey, publicKey);
  } catch {
    return undefined;
  }
  const words = new Uint32Array(new Uint8Array(point).buffer);
  const key = new Uint32Array(8);
  hsalsa(sigma, words, zeros, key);
  return new Uint8Array(key.buffer);
}

export function seal(plain: Uint8Array, nonce: Uint8Array, key: Uint8Array): Buffer {
  const box = Buffer.allocUnsafe(macBytes + plain.length);
  sodium.crypto_secretbox_easy(box, plain, nonce, key);
  return box;
}

/** Seals, in place, the bytes after the first 16; the first 16 bytes become the MAC. */
export function sealInPlace(box: Buffer, nonce: Uint8Array, key: Uint8Array): void {
  sodium.crypto_secretbox_easy(box, box.subarray(macBytes), nonce, key);
}

/** @returns undefined if the box was not sealed with this key and nonce */
export function open(box: Uint8Array, nonce: Uint8Array, key: Uint8Array): Buffer | undefined {
  if (box.length < macBytes) return undefined;
  const plain = Buffer.allocUnsafe(box.length - macBytes);
  return sodium.crypto_secretbox_open_easy(plain, box, nonce, key) ? plain : undefined;
}
