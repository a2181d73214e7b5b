import { decrypt } from "../platform/encryption.ts";
import { isSigned, readPublicKey, signatureBytes } from "../platform/signature.ts";
import { readSealed, signedPart } from "../protocol/sealed.ts";

interface Sealed {
  readonly topic: string;
  readonly payload: Buffer;
}

interface Keys {
  /** Of the topic and day, in base64url. */
  readonly key: string;
  /** Whose signature counts; without one nothing is believed. */
  readonly publisher: string | undefined;
}

/** Without `plain` if the publisher has not signed it. */
interface Opened {
  readonly plain: Uint8Array | undefined;
}

/**
 * Opens each publication once for all sessions of a connection that hold the same keys. The keys are
 * the caller's: a session without them gets nothing that another one has opened.
 */
export class SealOpener {
  #payload: Buffer | undefined;
  /** The payload, as opened by each key and publisher; undefined for a key that does not fit. */
  readonly #opened = new Map<string, Opened | undefined>();

  /** @returns undefined if it was not sealed with this key */
  open(sealed: Sealed, keys: Keys): Opened | undefined {
    if (this.#payload !== sealed.payload) this.#opened.clear();
    this.#payload = sealed.payload;
    const by = `${sealed.topic} ${keys.key} ${keys.publisher}`;
    if (!this.#opened.has(by)) this.#opened.set(by, openSealed(sealed, keys));
    return this.#opened.get(by);
  }
}

function openSealed({ topic, payload }: Sealed, { key, publisher }: Keys): Opened | undefined {
  const read = readSealed(payload);
  const opened = read && decrypt(Buffer.from(key, "base64url"), read.sealed, topic);
  if (read === undefined || opened === undefined) return undefined;
  const signature = opened.subarray(0, signatureBytes);
  const plain = opened.subarray(signatureBytes);
  const signed = signedPart({ topic, day: read.day }, plain);
  const publicKey = readPublicKey(publisher);
  return { plain: publicKey && isSigned(publicKey, signed, signature) ? plain : undefined };
}
