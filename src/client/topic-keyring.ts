import { now } from "../platform/clock.ts";
import type { Replies } from "../protocol/replies.ts";
import { readSealed } from "../protocol/sealed.ts";
import type { SealOpener } from "./seal-opener.ts";

type Ask = (topic: string) => Promise<Replies["keys"]>;

/** A topic's keys from one secret. */
interface TopicKeys {
  /** Keys in base64url, by day. */
  readonly byDay: ReadonlyMap<number, string>;
  readonly publisher: string | undefined;
}

/**
 * Shortest time between two requests for a topic's keys. A user who may not read the topic would
 * otherwise ask at every publication.
 */
const askAgainMs = 1_000;

/**
 * Opens sealed publications with the keys that servers give to users who may read a topic (X5).
 * Each session has its own keyring, so it never opens topics that only another session may read.
 */
export class TopicKeyring {
  readonly #ask: Ask;
  readonly #opener: SealOpener;
  readonly #keys = new Map<string, readonly TopicKeys[]>();
  readonly #askedMs = new Map<string, number>();

  /**
   * @param ask requests a topic's keys from a server @param opener opens publications with these
   * keys; all sessions of a connection share the opener
   */
  constructor(ask: Ask, opener: SealOpener) {
    this.#ask = ask;
    this.#opener = opener;
  }

  /**
   * @param onKeys called when new keys have arrived; the caller must then fetch the publications
   * that could not be opened
   * @returns the opened payload; the payload itself if it is not sealed; undefined if the keyring
   * lacks the right key, or if no server has signed the payload
   */
  open(topic: string, payload: Buffer, onKeys: () => void): Uint8Array | undefined {
    const read = readSealed(payload);
    if (read === undefined) return payload;
    for (const { byDay, publisher } of this.#keys.get(topic) ?? []) {
      const key = byDay.get(read.day);
      const opened = key && this.#opener.open({ topic, payload }, { key, publisher });
      if (opened) return opened.plain;
    }
    void this.#fetch(topic, onKeys);
    return undefined;
  }

  async #fetch(topic: string, onKeys: () => void): Promise<void> {
    const { steadyMs } = now();
    if (steadyMs - (this.#askedMs.get(topic) ?? -askAgainMs) < askAgainMs) return;
    this.#askedMs.set(topic, steadyMs);
    try {
      const reply = await this.#ask(topic);
      // While the secret is being changed, some servers seal with the new secret, and others with the
      // old one (O55). So the keys of all secrets are kept.
      const known = [reply, ...reply.also].map(({ keys, publisher }): TopicKeys => {
        return { byDay: new Map((keys[topic] ?? []).map(({ day, key }) => [day, key])), publisher };
      });
      this.#keys.set(topic, known);
      onKeys();
    } catch {
      // The error is ignored: a user without the right to read gets it when the session fetches the history.
    }
  }
}
