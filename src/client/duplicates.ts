import { digest } from "../platform/digest.ts";
import { emptyChain, type ServerName } from "../protocol/ids.ts";
import type { Entry } from "../protocol/publications.ts";
import { Recent } from "../protocol/recent.ts";

interface Place {
  readonly server: ServerName;
  readonly seq: number;
}

/** Messages remembered to know their duplicates: those of a retry come within its deadline. */
const rememberedMessages = 20_000;

/** Where the messages of a topic stand, for all who read it: a retry may have made two of one (R6). */
export class Duplicates {
  readonly #places = new Recent<string, Place[]>(rememberedMessages);
  /** Several sessions are handed the same publication: its key is computed once. */
  readonly #keys = new WeakMap<Entry, string>();

  /** Notes where an entry stands. @returns the places of its duplicates that were noted before */
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
   * Only messages of one sender, target and content are duplicates: an id may stand for a message to each
   * of several people, or for two contents.
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
