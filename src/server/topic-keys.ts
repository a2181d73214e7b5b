import { encrypt } from "../platform/encryption.ts";
import type { Secret } from "../platform/secret.ts";
import { limits } from "../protocol/limits.ts";
import { dayOf, sealedForm, type TopicKey } from "../protocol/sealed.ts";

interface Sealing {
  readonly topic: string;
  readonly version: string;
  readonly plain: Uint8Array;
}

/** Keys of topics, derived when they are wanted: any server can, and none stores them (X5). */
export class TopicKeys {
  readonly #secret: Secret;
  readonly #known = new Map<string, Buffer>();

  constructor(secret: Secret) {
    this.#secret = secret;
  }

  key({ topic, day, version }: TopicKey): Buffer {
    const name = JSON.stringify([topic, day, version]);
    const known = this.#known.get(name) ?? this.#secret.deriveKey(`topic/${name}`).export();
    this.#known.delete(name);
    this.#known.set(name, known);
    const [oldest] = this.#known.keys();
    if (this.#known.size > limits.knownTopicKeys && oldest !== undefined)
      this.#known.delete(oldest);
    return known;
  }

  /** A publication as it goes out, with the day whose key it wants. @param timeMs the cluster's */
  seal({ topic, version, plain }: Sealing, timeMs: number): Buffer {
    const day = dayOf(timeMs);
    return sealedForm(day, encrypt(this.key({ topic, day, version }), plain, topic));
  }
}
