import { createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import type { Secret } from "./secret.ts";

export const signatureBytes = 64;

/**
 * Signs publications in the cluster's name (Ed25519, RFC 8032). Readers without the secret can
 * check a signature but not create one.
 */
export class Signer {
  readonly #privateKey: KeyObject;
  /** The public key, 32 bytes in base64url. */
  readonly publicKey: string;

  constructor(secret: Secret) {
    const { privateKey, publicKey } = secret.derivePair("publisher", "Ed25519");
    this.#privateKey = privateKey;
    this.publicKey = publicKey.toString("base64url");
  }

  sign(bytes: Uint8Array): Buffer {
    return sign(null, bytes, this.#privateKey);
  }
}

/** @returns the public key; undefined if the text is not a valid key */
export function readPublicKey(text: string | undefined): KeyObject | undefined {
  if (text === undefined) return undefined;
  try {
    return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: text }, format: "jwk" });
  } catch {
    return undefined;
  }
}

export function isSigned(publicKey: KeyObject, bytes: Uint8Array, signature: Uint8Array): boolean {
  return verify(null, bytes, publicKey, signature);
}
