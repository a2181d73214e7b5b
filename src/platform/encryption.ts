import { createCipheriv, createDecipheriv, type KeyObject, randomFillSync } from "node:crypto";

const nonceBytes = 12;
const tagBytes = 16;

/**
 * Encrypts with AES-256-GCM. Returns a random nonce, the ciphertext and the tag.
 * @param bound the purpose, which is authenticated but not encrypted
 */
export function encrypt(key: KeyObject | Uint8Array, plain: Uint8Array, bound: string): Buffer {
  const nonce = randomFillSync(Buffer.alloc(nonceBytes));
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(bound));
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/**
 * Decrypts bytes that `encrypt` has returned.
 * @returns undefined if the bytes were not encrypted with this key for this purpose
 */
export function decrypt(
  key: KeyObject | Uint8Array,
  sealed: Uint8Array,
  bound: string,
): Buffer | undefined {
  if (sealed.length < nonceBytes + tagBytes) return undefined;
  const end = sealed.length - tagBytes;
  const nonce = sealed.subarray(0, nonceBytes);
  const decipher = createDecipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(bound));
  decipher.setAuthTag(sealed.subarray(end));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(nonceBytes, end)), decipher.final()]);
  } catch {
    return undefined;
  }
}
