import type { NamesQuery } from "../../../protocol/client-messages.ts";
import { firstIndex } from "../first-index.ts";

/** A growing list of names that stays sorted: reading a page costs no more than the page. */
export class SortedNames<Name extends string> {
  #sorted: Name[] = [];
  #added: Name[] = [];

  /** @param name a name that was never added before */
  add(name: Name): void {
    this.#added.push(name);
  }

  get sorted(): readonly Name[] {
    if (this.#added.length > 0) {
      // Two sorted runs are merged in one pass; without a comparison of our own that is slower.
      this.#sorted = [...this.#sorted, ...this.#added.sort()].sort((a, b) => (a < b ? -1 : 1));
      this.#added = [];
    }
    return this.#sorted;
  }
}

export interface NamesPage<Name extends string> {
  readonly names: Name[];
  /** The first name of the next page; missing on the last page. */
  readonly next?: Name;
}

interface NamesOptions<Name> {
  /** Bytes that the replies to one payload may still take. */
  readonly room: { bytes: number };
  /** How often the reply repeats each name. */
  readonly copies: number;
  isShown(name: Name): boolean;
}

/** One page of names. It ends early when the room is used up; `next` tells that more exist (Q13). */
export function readNames<Name extends string>(
  sorted: readonly Name[],
  { prefix = "", from = "", limit = Number.POSITIVE_INFINITY }: NamesQuery,
  { room, copies, isShown }: NamesOptions<Name>,
): NamesPage<Name> {
  const names: Name[] = [];
  const start = from > prefix ? from : prefix;
  const first = firstIndex(sorted.length, (at) => (sorted[at] as Name) < start);
  for (let at = first; at < sorted.length; at += 1) {
    const name = sorted[at] as Name;
    if (!name.startsWith(prefix)) break;
    if (!isShown(name)) continue;
    const bytes = copies * nameBytes(name);
    if (names.length >= limit || bytes > room.bytes) return { names, next: name };
    room.bytes -= bytes;
    names.push(name);
  }
  return { names };
}

/** The most bytes of a name in a reply: three for each unit of UTF-16, and two around it. */
export function nameBytes(name: string): number {
  return 3 * name.length + 2;
}
