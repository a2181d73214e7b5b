import { digest } from "../platform/digest.ts";
import { emptyChain, type ServerName } from "../protocol/ids.ts";
import type { Entry } from "../protocol/publications.ts";
import { Recent } from "../protocol/recent.ts";

interface Place {
  readonly server: ServerName;
  readonly seq: number;
}

/**
 * How many of the newest messages are remembered to recognize duplicates. Retries end at a
 * deadline, so a duplicate rarely arrives after so many other messages.
 */
const rememberedMessages = 20_000;

/**
 * The server and `seq` of each remembered message of one topic. A message has several such places
 * if a retry created a second event (R6).
 */
export class Duplicates {
  readonly #places = new Recent<string, Place[]>(rememberedMessages);
  /** Keys by entry object. Several sessions get the same object, so its key is computed once. */
  readonly #keys = new WeakMap<Entry, string>();

  /** Records the place of an entry. @returns the recorded places of its duplicates */
  note(entry: Entry): readonly Place[] {
    const { server, seq } = entry;
    const key = this.#keyOf(entry);
    const places = this.#places.get(key);
    if (places === undefined) {
      this.#places.set(key, [{ server, seq }]);
      return [];
    }
    const others = places.filter((place) => place.server !== server || place.seq !== seq);
    if (others.length === places.length) places.push({ server, seq });
    return others;
  }

  /**
   * @returns a key of the message's sender, receiver, id and content. The id alone is not enough,
   * because a client may use it for several receivers or contents.
   */
  #keyOf(entry: Entry): string {
    const known = this.#keys.get(entry);
    if (known !== undefined) return known;
    const whose = "channel" in entry ? [entry.user] : [entry.src, entry.dst];
    const key = digest.chain(emptyChain, JSON.stringify([...whose, entry.id, entry.message]));
    this.#keys.set(entry, key);
    return key;
  }
}
