import type { NamesQuery } from "../../../protocol/client-messages.ts";
import { firstIndex } from "../first-index.ts";

/** A growing list of names. Added names are sorted into the list when it is next read. */
export class SortedNames<Name extends string> {
  #sorted: Name[] = [];
  #added: Name[] = [];

  /** @param name a name that was never added before */
  add(name: Name): void {
    this.#added.push(name);
  }

  get sorted(): readonly Name[] {
    if (this.#added.length > 0) {
      // `sort` merges the two sorted runs in one pass; its default comparison would be slower.
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
  /** The bytes left for the replies to one payload. */
  readonly room: { bytes: number };
  /** How many times the reply contains each name. */
  readonly copies: number;
  isShown(name: Name): boolean;
}

/**
 * Reads one page of names. A page that ends early, because of `limit` or because the room is used
 * up, has `next` (Q13).
 */
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

/** The most bytes of a name in a reply: three for each UTF-16 unit of the name, and two more. */
export function nameBytes(name: string): number {
  return 3 * name.length + 2;
}
