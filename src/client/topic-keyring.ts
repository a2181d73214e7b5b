import type { KeyObject } from "node:crypto";
import { now } from "../platform/clock.ts";
import { decrypt } from "../platform/encryption.ts";
import { isSigned, readPublicKey, signatureBytes } from "../platform/signature.ts";
import type { Replies } from "../protocol/replies.ts";
import { readSealed, signedPart } from "../protocol/sealed.ts";

type Ask = (topic: string) => Promise<Replies["keys"]>;

/** Keys are asked for no more often: who may not have them is not let in by asking again. */
const askAgainMs = 1_000;

/** Opens sealed publications with the keys that the servers give to who may read them (X5). */
export class TopicKeyring {
  readonly #ask: Ask;
  /** By topic, then by day. */
  readonly #keys = new Map<string, Map<number, Buffer>>();
  readonly #askedMs = new Map<string, number>();
  #publisher: KeyObject | undefined;

  /** @param ask resolves with the reply of `keys` */
  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /**
   * @param onKeys called once there are new keys: what could not be opened is to be fetched
   * @returns undefined if it can't be opened, or not yet, or if no server has signed it
   */
  open(topic: string, payload: Buffer, onKeys: () => void): Uint8Array | undefined {
    const read = readSealed(payload);
    if (read === undefined) return payload;
    const key = this.#keys.get(topic)?.get(read.day);
    const opened = key && decrypt(key, read.sealed, topic);
    if (opened === undefined) {
      void this.#fetch(topic, onKeys);
      return undefined;
    }
    const signature = opened.subarray(0, signatureBytes);
    const plain = opened.subarray(signatureBytes);
    const signed = signedPart({ topic, day: read.day }, plain);
    return this.#publisher && isSigned(this.#publisher, signed, signature) ? plain : undefined;
  }

  async #fetch(topic: string, onKeys: () => void): Promise<void> {
    const { steadyMs } = now();
    if (steadyMs - (this.#askedMs.get(topic) ?? -askAgainMs) < askAgainMs) return;
    this.#askedMs.set(topic, steadyMs);
    try {
      const { keys, publisher } = await this.#ask(topic);
      const found = (keys[topic] ?? []).map(({ day, key }) => {
        return [day, Buffer.from(key, "base64url")] as const;
      });
      this.#keys.set(topic, new Map(found));
      this.#publisher = readPublicKey(publisher);
      onKeys();
    } catch {
      // Whoever may not read hears why when he asks for the history.
    }
  }
}
