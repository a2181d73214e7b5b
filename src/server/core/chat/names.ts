import type { NamesQuery } from "../../../protocol/client-messages.ts";
import { firstIndex } from "../first-index.ts";

/** A growing list of names that stays sorted: to read a page costs no more than the page. */
export class SortedNames<Name extends string> {
  #sorted: Name[] = [];
  #added: Name[] = [];

  /** @param name one that was never added before */
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
  /** Bytes that the replies to one payload may still take. */
  readonly room: { bytes: number };
  /** How many times the reply has each name. */
  readonly copies: number;
  isShown(name: Name): boolean;
}

/**
 * One page of names. It ends early when the room is used up; `next` tells that there are more
 * (Q13).
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

/** Bytes of a name in a reply at most: three for each unit of UTF-16, two around it. */
export function nameBytes(name: string): number {
  return 3 * name.length + 2;
}
