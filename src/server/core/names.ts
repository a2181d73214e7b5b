import type { NamesQuery } from "../../protocol/messages.ts";

/** Names that are there, sorted: asking for a page costs no more than the page. */
export class SortedNames<Name extends string> {
  #sorted: Name[] = [];
  #added: Name[] = [];

  /** @param name that was never added before */
  add(name: Name): void {
    this.#added.push(name);
  }

  get sorted(): readonly Name[] {
    if (this.#added.length > 0) {
      this.#sorted = merged(this.#sorted, this.#added.sort());
      this.#added = [];
    }
    return this.#sorted;
  }
}

/** Two sorted lists as one. */
function merged<Name extends string>(left: readonly Name[], right: readonly Name[]): Name[] {
  const all: Name[] = [];
  let at = 0;
  for (const name of right) {
    for (let next = left[at]; next !== undefined && next < name; next = left[at]) {
      all.push(next);
      at += 1;
    }
    all.push(name);
  }
  for (; at < left.length; at += 1) all.push(left[at] as Name);
  return all;
}

export interface NamesPage<Name extends string> {
  readonly names: Name[];
  /** Where the next page begins; missing on the last one. */
  readonly next?: Name;
}

interface NamesOptions<Name> {
  /** What the replies to one payload may still take. */
  readonly room: { bytes: number };
  /** How often a name stands in the reply. */
  readonly copies: number;
  isShown(name: Name): boolean;
}

/** Names by the page: it ends early when the room is used up, and `next` tells that there are more. */
export function readNames<Name extends string>(
  sorted: readonly Name[],
  { prefix = "", from = "", limit = Number.POSITIVE_INFINITY }: NamesQuery,
  { room, copies, isShown }: NamesOptions<Name>,
): NamesPage<Name> {
  const names: Name[] = [];
  for (let at = firstFrom(sorted, from > prefix ? from : prefix); at < sorted.length; at += 1) {
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

/** Bytes of a name in a reply: up to four a UTF-16 unit are never reached, three may be. */
export function nameBytes(name: string): number {
  return 3 * name.length + 2;
}

function firstFrom(sorted: readonly string[], name: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as string) < name) low = middle + 1;
    else high = middle;
  }
  return low;
}
