import { decrypt, encrypt } from "../platform/encryption.ts";
import type { Secret } from "../platform/secret.ts";
import { Signer } from "../platform/signature.ts";
import { limits } from "../protocol/limits.ts";
import { Recent } from "../protocol/recent.ts";
import { dayOf, readSealed, sealedForm, signedPart, type TopicKey } from "../protocol/sealed.ts";
import { replicationTopic } from "../protocol/topics.ts";

interface Sealing extends Omit<TopicKey, "day"> {
  readonly plain: Uint8Array;
}

/** The members' own: no channel or user has such a topic, and no credential such a version. */
const replication = { topic: replicationTopic, version: "members" };

/** Keys of topics, derived when they are wanted: any server can, and none stores them (X5). */
export class TopicKeys {
  readonly #secret: Secret;
  readonly #signer: Signer;
  readonly #known = new Recent<string, Buffer>(limits.knownTopicKeys);

  constructor(secret: Secret) {
    this.#secret = secret;
    this.#signer = new Signer(secret);
  }

  /** What readers know a true publication by. */
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
   * A publication as it goes out: signed, since all its readers have the key that it is sealed with.
   * @param timeMs the cluster's
   */
  sealPublication(sealing: Sealing, timeMs: number): Buffer {
    const { topic, plain } = sealing;
    const signature = this.#signer.sign(signedPart({ topic, day: dayOf(timeMs) }, plain));
    return this.#seal({ ...sealing, plain: Buffer.concat([signature, plain]) }, timeMs);
  }

  /** A message among servers, whose own seal says whose it is (X1). @param timeMs the cluster's */
  sealReplication(plain: Uint8Array, timeMs: number): Buffer {
    return this.#seal({ ...replication, plain }, timeMs);
  }

  /** @returns undefined if it is not sealed so */
  openReplication(payload: Uint8Array): Buffer | undefined {
    const read = readSealed(payload);
    if (read === undefined) return undefined;
    return decrypt(this.key({ ...replication, day: read.day }), read.sealed, replicationTopic);
  }

  #seal({ topic, version, plain }: Sealing, timeMs: number): Buffer {
    const day = dayOf(timeMs);
    return sealedForm(day, encrypt(this.key({ topic, day, version }), plain, topic));
  }
}
