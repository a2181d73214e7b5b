import { decrypt } from "../platform/encryption.ts";
import { isSigned, readPublicKey, signatureBytes } from "../platform/signature.ts";
import { readSealed, signedPart } from "../protocol/sealed.ts";

interface Sealed {
  readonly topic: string;
  readonly payload: Buffer;
}

interface Keys {
  /** The key of the topic and day, in base64url. */
  readonly key: string;
  /** The servers' public key; without a public key no publication counts as signed. */
  readonly publisher: string | undefined;
}

/** `plain` is undefined if the publication has no valid signature of the publisher. */
interface Opened {
  readonly plain: Uint8Array | undefined;
}

/**
 * Opens sealed publications for the sessions of a connection; sessions with the same keys share the
 * result. Each caller passes its own keys, so a session without the keys gets nothing.
 */
export class SealOpener {
  #payload: Buffer | undefined;
  /**
   * The results of opening the last payload, by topic, key and publisher; undefined if the key is
   * wrong.
   */
  readonly #opened = new Map<string, Opened | undefined>();

  /** @returns undefined if the payload was not sealed with this key */
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
