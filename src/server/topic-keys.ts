import { decrypt, encrypt } from "../platform/encryption.ts";
import type { Secret } from "../platform/secret.ts";
import { Signer } from "../platform/signature.ts";
import { limits } from "../protocol/limits.ts";
import { Recent } from "../protocol/recent.ts";
import { dayOf, readSealed, sealedForm, signedPart, type TopicKey } from "../protocol/sealed.ts";
import { replicationTopic } from "../protocol/topics.ts";
import type { TopicKeySource } from "./core/serving/decision.ts";

interface Sealing extends Omit<TopicKey, "day"> {
  readonly plain: Uint8Array;
}

/**
 * The topic and the version from which the key of messages between servers is derived. No channel
 * or user has this topic, and no credential has this version.
 */
const replication = { topic: replicationTopic, version: "members" };

/**
 * Derives the keys of topics from the cluster's secret when they are needed (X5). Every server can
 * derive them, and no server writes them to disk. While the secret is being changed, publications
 * are sealed with the secret in use (O55).
 */
export class TopicKeys {
  readonly #secret: Secret;
  readonly #signer: Signer;
  readonly #known = new Recent<string, Buffer>(limits.knownTopicKeys);
  /** The keys from the secrets that are accepted but not in use. */
  readonly others: readonly TopicKeys[];

  constructor(secret: Secret) {
    this.#secret = secret;
    this.#signer = new Signer(secret);
    this.others = secret.others.map((other) => new TopicKeys(other));
  }

  /** What the service `keys` gives: the keys from the secret in use come first (O55). */
  get sources(): readonly TopicKeySource[] {
    return [this, ...this.others].map((keys) => ({
      publisher: keys.publisher,
      key: (of) => keys.key(of).toString("base64url"),
    }));
  }

  /** The public key with which readers verify publications. */
  get publisher(): string {
    return this.#signer.publicKey;
  }

  key({ topic, day, version }: TopicKey): Buffer {
    const name = JSON.stringify([topic, day, version]);
    const known = this.#known.get(name) ?? this.#secret.deriveKey(`topic/${name}`).export();
    this.#known.set(name, known);
    return known;
  }

  /**
   * Signs and encrypts a publication. The signature proves that a server sent it; the topic's key
   * can't prove the sender, because all readers of the topic have it.
   * @param timeMs the cluster's time
   */
  sealPublication(sealing: Sealing, timeMs: number): Buffer {
    const { topic, plain } = sealing;
    const signature = this.#signer.sign(signedPart({ topic, day: dayOf(timeMs) }, plain));
    return this.#seal({ ...sealing, plain: Buffer.concat([signature, plain]) }, timeMs);
  }

  /**
   * Encrypts a message between servers. The message needs no signature, because its seal proves the
   * sender (X1).
   * @param timeMs the cluster's time
   */
  sealReplication(plain: Uint8Array, timeMs: number): Buffer {
    return this.#seal({ ...replication, plain }, timeMs);
  }

  /**
   * Decrypts a message between servers.
   * @returns undefined if the payload is not encrypted with the servers' key
   */
  openReplication(payload: Uint8Array): Buffer | undefined {
    const read = readSealed(payload);
    if (read === undefined) return undefined;
    for (const keys of [this, ...this.others]) {
      const key = keys.key({ ...replication, day: read.day });
      const plain = decrypt(key, read.sealed, replicationTopic);
      if (plain !== undefined) return plain;
    }
    return undefined;
  }

  #seal({ topic, version, plain }: Sealing, timeMs: number): Buffer {
    const day = dayOf(timeMs);
    return sealedForm(day, encrypt(this.key({ topic, day, version }), plain, topic));
  }
}
