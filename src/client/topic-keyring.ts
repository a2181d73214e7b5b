import { now } from "../platform/clock.ts";
import { decrypt } from "../platform/encryption.ts";
import { isMap } from "../protocol/parse-message.ts";
import { readSealed } from "../protocol/sealed.ts";

/** Keys are asked for no more often: who may not have them is not let in by asking again. */
const askAgainMs = 1_000;

/** Opens sealed publications with the keys that the servers give to who may read them (X5). */
export class TopicKeyring {
  readonly #ask: (topic: string) => Promise<unknown>;
  /** By topic, then by day. */
  readonly #keys = new Map<string, Map<number, Buffer>>();
  readonly #askedMs = new Map<string, number>();

  /** @param ask resolves with the `keys` of a reply */
  constructor(ask: (topic: string) => Promise<unknown>) {
    this.#ask = ask;
  }

  /**
   * @param onKeys called once there are new keys: what could not be opened is to be fetched
   * @returns undefined if it can't be opened, or not yet
   */
  open(topic: string, payload: Buffer, onKeys: () => void): Uint8Array | undefined {
    const read = readSealed(payload);
    if (read === undefined) return payload;
    const key = this.#keys.get(topic)?.get(read.day);
    const plain = key && decrypt(key, read.sealed, topic);
    if (plain === undefined) void this.#fetch(topic, onKeys);
    return plain;
  }

  async #fetch(topic: string, onKeys: () => void): Promise<void> {
    const { steadyMs } = now();
    if (steadyMs - (this.#askedMs.get(topic) ?? -askAgainMs) < askAgainMs) return;
    this.#askedMs.set(topic, steadyMs);
    try {
      const keys = await this.#ask(topic);
      const days = isMap(keys) && Array.isArray(keys[topic]) ? keys[topic] : [];
      const found = days.flatMap(({ day, key }) =>
        typeof day === "number" && typeof key === "string"
          ? [[day, Buffer.from(key, "base64url")] as const]
          : [],
      );
      this.#keys.set(topic, new Map(found));
      onKeys();
    } catch {
      // Whoever may not read hears why when he asks for the history.
    }
  }
}
