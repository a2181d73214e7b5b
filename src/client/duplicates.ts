import { digest } from "../platform/digest.ts";
import type { ServerName } from "../protocol/ids.ts";
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
 * Remembers the places of the newest messages of one topic. A place is the server and `seq` of an
 * event. A message has more than one place if a retry created a second event (R6).
 */
export class Duplicates {
  readonly #places = new Recent<string, Place[]>(rememberedMessages);
  /** The result for the last entry, because all subscriptions note an entry one after the other. */
  #last: { readonly entry: Entry; readonly others: readonly Place[] } | undefined;

  /** Records the place of an entry. @returns the recorded places of its duplicates */
  note(entry: Entry): readonly Place[] {
    if (this.#last?.entry !== entry) this.#last = { entry, others: this.#note(entry) };
    return this.#last.others;
  }

  #note(entry: Entry): readonly Place[] {
    const { server, seq } = entry;
    const key = keyOf(entry);
    const places = this.#places.get(key);
    if (places === undefined) {
      this.#places.set(key, [{ server, seq }]);
      return [];
    }
    const others = places.filter((place) => place.server !== server || place.seq !== seq);
    if (others.length === places.length) places.push({ server, seq });
    return others;
  }
}

/**
 * @returns a key of the message's sender, hook, receiver, id and content. The id alone is not enough,
 * because a client may use it for several receivers or contents. Whoever makes two contents with
 * one checksum only hides one of their own messages.
 */
function keyOf(entry: Entry): string {
  const whose =
    "channel" in entry ? `${entry.user} ${entry.hook ?? ""}` : `${entry.src} ${entry.dst}`;
  return `${digest.checksum(entry.message)} ${whose} ${entry.id}`;
}
