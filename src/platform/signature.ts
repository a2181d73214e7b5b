import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import type { Secret } from "./secret.ts";

/** In PKCS #8 an Ed25519 private key is these bytes, then its own 32 (RFC 8410). */
const pkcs8 = Buffer.from("302e020100300506032b657004220420", "hex");

export const signatureBytes = 64;

/** Signs in the cluster's name (Ed25519, RFC 8032): whoever has the secret can, who reads can't. */
export class Signer {
  readonly #privateKey: KeyObject;
  /** 32 bytes in base64url. */
  readonly publicKey: string;

  constructor(secret: Secret) {
    const key = Buffer.concat([pkcs8, secret.deriveKey("publisher").export()]);
    this.#privateKey = createPrivateKey({ key, format: "der", type: "pkcs8" });
    const { x = "" } = createPublicKey(this.#privateKey).export({ format: "jwk" });
    this.publicKey = x;
  }

  sign(bytes: Uint8Array): Buffer {
    return sign(null, bytes, this.#privateKey);
  }
}

/** @returns undefined if it is no such key */
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
