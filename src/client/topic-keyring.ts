import { now } from "../platform/clock.ts";
import type { Replies } from "../protocol/replies.ts";
import { readSealed } from "../protocol/sealed.ts";
import type { SealOpener } from "./seal-opener.ts";

type Ask = (topic: string) => Promise<Replies["keys"]>;

interface TopicKeys {
  /** By day, in base64url. */
  readonly byDay: ReadonlyMap<number, string>;
  readonly publisher: string | undefined;
}

/** Keys are asked for no more often: who may not have them is not let in by asking again. */
const askAgainMs = 1_000;

/**
 * Opens sealed publications with the keys that the servers give to who may read them (X5). Each
 * session has a keyring of its own: what others on the same connection may read is not opened by it.
 */
export class TopicKeyring {
  readonly #ask: Ask;
  readonly #opener: SealOpener;
  readonly #keys = new Map<string, TopicKeys>();
  readonly #askedMs = new Map<string, number>();

  /** @param ask resolves with the reply of `keys` @param opener of the connection */
  constructor(ask: Ask, opener: SealOpener) {
    this.#ask = ask;
    this.#opener = opener;
  }

  /**
   * @param onKeys called once there are new keys: what could not be opened is to be fetched
   * @returns undefined if it can't be opened, or not yet, or if no server has signed it
   */
  open(topic: string, payload: Buffer, onKeys: () => void): Uint8Array | undefined {
    const read = readSealed(payload);
    if (read === undefined) return payload;
    const { byDay, publisher } = this.#keys.get(topic) ?? {};
    const key = byDay?.get(read.day);
    if (key !== undefined) {
      const opened = this.#opener.open({ topic, payload }, { key, publisher });
      if (opened !== undefined) return opened.plain;
    }
    void this.#fetch(topic, onKeys);
    return undefined;
  }

  async #fetch(topic: string, onKeys: () => void): Promise<void> {
    const { steadyMs } = now();
    if (steadyMs - (this.#askedMs.get(topic) ?? -askAgainMs) < askAgainMs) return;
    this.#askedMs.set(topic, steadyMs);
    try {
      const { keys, publisher } = await this.#ask(topic);
      const byDay = new Map((keys[topic] ?? []).map(({ day, key }) => [day, key]));
      this.#keys.set(topic, { byDay, publisher });
      onKeys();
    } catch {
      // Whoever may not read hears why when they ask for the history.
    }
  }
}
