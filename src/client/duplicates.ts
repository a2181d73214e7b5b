import { digest } from "../platform/digest.ts";
import { emptyChain, type ServerName } from "../protocol/ids.ts";
import type { Entry } from "../protocol/publications.ts";
import { Recent } from "../protocol/recent.ts";

interface Place {
  readonly server: ServerName;
  readonly seq: number;
}

/**
 * How many messages are remembered to recognize duplicates. Older ones can be forgotten, because a
 * retry ends at its deadline.
 */
const rememberedMessages = 20_000;

/**
 * Server and `seq` of each message of one topic, for all its subscriptions. A message has several
 * places if a retry created a second event (R6).
 */
export class Duplicates {
  readonly #places = new Recent<string, Place[]>(rememberedMessages);
  /** Keys by entry object. Several sessions get the same object, so its key is computed once. */
  readonly #keys = new WeakMap<Entry, string>();

  /**
   * Records the place of an entry. @returns the places of its duplicates that were recorded before
   */
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
   * @returns the same key for messages with the same sender, target, id and content. The id alone
   * is not enough: a client may use one id for messages to several people, or for two contents.
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
