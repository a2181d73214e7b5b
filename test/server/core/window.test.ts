import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareOrder } from "../../../src/protocol/event.ts";
import type { RequestId } from "../../../src/protocol/ids.ts";
import { mergeInOrder } from "../../../src/server/core/chat/merge-in-order.ts";
import { Tail, Window } from "../../../src/server/core/chat/window.ts";
import { idOf, type Placed } from "../../../src/server/core/replica/placed.ts";
import { serverName } from "../../support/event-lines.ts";

/** Distinct entries of four servers, with few ids, so that there are duplicates. */
const anyEntries = fc
  .uniqueArray(
    fc.record({
      clock: fc.integer({ min: 1, max: 12 }),
      server: fc.integer({ min: 1, max: 4 }),
      id: fc.option(fc.integer({ min: 1, max: 6 })),
    }),
    { selector: ({ clock, server }) => clock * 10 + server, maxLength: 30 },
  )
  .map((drawn) =>
    drawn.map(({ clock, server, id }): Placed => {
      const requestId = id === null ? undefined : (`id-${id}` as RequestId);
      return { server: serverName(server), seq: clock, clock, time: clock, id: requestId };
    }),
  );

/**
 * Rule J3, without any optimization: from the newest entry down, keeps the entries up to the one at
 * which the N-th distinct id is first met. Drops all older entries, even duplicates of kept ids.
 */
function keptOf(entries: readonly Placed[], most: number): Placed[] {
  const kept: Placed[] = [];
  const met = new Set<string>();
  for (const entry of entries.toSorted(compareOrder).reverse()) {
    if (met.size === most) break;
    met.add(idOf(entry));
    kept.push(entry);
  }
  return kept.reverse();
}

function windowOf(most: number): Window<Placed> {
  return new Window<Placed>(most, { scopeOf: () => "", isDuplicate: () => true });
}

describe("a window", () => {
  const anyMost = fc.integer({ min: 1, max: 8 });

  test("[J3] [R4] a window keeps the same entries in whatever order they came", () => {
    fc.assert(
      fc.property(anyEntries, anyMost, fc.infiniteStream(fc.nat()), (entries, most, chance) => {
        const shuffled = entries
          .map((entry) => ({ entry, at: chance.next().value as number }))
          .sort((one, other) => one.at - other.at)
          .map(({ entry }) => entry);
        for (const order of [entries, shuffled]) {
          const window = windowOf(most);
          for (const entry of order) window.add(entry);
          expect(window.entries.slice()).toEqual(keptOf(entries, most));
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test("[J3] [R4] whenever an entry is added, a window has exactly the entries that J3 requires, and returns the entries that it drops", () => {
    fc.assert(
      fc.property(anyEntries, anyMost, (entries, most) => {
        const window = windowOf(most);
        const held = new Set<Placed>();
        for (const [index, entry] of entries.entries()) {
          held.add(entry);
          for (const dropped of window.add(entry)) expect(held.delete(dropped)).toBe(true);
          const kept = keptOf(entries.slice(0, index + 1), most);
          expect(window.entries.slice()).toEqual(kept);
          expect([...held].sort(compareOrder)).toEqual(kept);
          expect(window.isFull).toBe(new Set(kept.map(idOf)).size === most);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test("[J3] [R4] a window built from two replicas' entries keeps the same entries as a window that got all entries", () => {
    const anyHalf = fc.infiniteStream(fc.boolean());
    fc.assert(
      fc.property(anyEntries, anyMost, anyHalf, (entries, most, choice) => {
        const mine = entries.filter(() => choice.next().value);
        const others = entries.filter((entry) => !mine.includes(entry));
        const window = windowOf(most);
        for (const entry of mine) window.add(entry);
        for (const entry of keptOf(others, most)) window.add(entry);
        expect(window.entries.slice()).toEqual(keptOf(entries, most));
      }),
      { numRuns: 1_000 },
    );
  });

  test("[J3] [R6] a window finds the duplicates among the entries that it keeps, and finds no dropped entry", () => {
    fc.assert(
      fc.property(anyEntries, anyMost, (entries, most) => {
        const window = windowOf(most);
        for (const entry of entries) window.add(entry);
        const kept = keptOf(entries, most);
        for (const entry of entries) {
          expect(window.holds(entry)).toBe(kept.includes(entry));
          if (entry.id === undefined) continue;
          const duplicates = kept.filter(({ id }) => id === entry.id);
          expect(window.duplicates(entry)).toEqual(duplicates);
          expect(window.find(entry.id, "", () => true)).toBe(duplicates[0]);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test("[J3] a window counts two users' requests with the same id as two distinct ids", () => {
    const window = new Window<Placed>(2, {
      scopeOf: ({ server }) => server,
      isDuplicate: () => true,
    });
    const id = "id-1" as RequestId;
    const entries = [1, 2, 3].map((number) => {
      return { server: serverName(number), seq: 1, clock: number, time: number, id };
    });
    for (const entry of entries) window.add(entry);
    expect(window.entries.slice()).toEqual(entries.slice(1));
  });

  test("[S9] [R6] a window looks up an id among the sender's own entries only, even if many senders use that id", () => {
    let compared = 0;
    const window = new Window<Placed>(10_000, {
      scopeOf: ({ seq }) => String(seq),
      isDuplicate: () => {
        compared += 1;
        return true;
      },
    });
    const id = "1" as RequestId;
    const entries = Array.from({ length: 2_000 }, (_, seq) => {
      return { server: serverName(1), seq, clock: seq, time: seq, id };
    });
    for (const entry of entries) window.add(entry);
    const committed = { [serverName(1)]: entries.length };
    expect(entries.every((entry) => window.shows(entry, committed))).toBe(true);
    for (const entry of entries) {
      expect(window.find(id, String(entry.seq), () => true)).toBe(entry);
    }
    expect(compared).toBeLessThan(3 * entries.length);
  });
});

describe("a queue of window entries", () => {
  test("a queue has the same items as an array after thousands of insertions and removals", () => {
    const list = new Tail<number>();
    let array: number[] = [];
    for (let number = 0; number < 5_000; number += 1) {
      list.push(number);
      array.push(number);
      if (number % 3 === 0) {
        list.insert(1, -number);
        array.splice(1, 0, -number);
      }
      while (array.length > 20) expect(list.shift()).toBe(array.shift());
      array = [...array];
    }
    expect(list.slice()).toEqual(array);
    expect(list.length).toBe(20);
    expect([list.at(-1), list.at(0), list.at(19), list.at(20)]).toEqual([
      undefined,
      array[0],
      array[19],
      undefined,
    ]);
  });
});

describe("merging sorted lists", () => {
  test("[R4] merging sorted lists gives all their items in the total order, equal items next to each other", () => {
    fc.assert(
      fc.property(anyEntries, fc.array(fc.nat(3), { maxLength: 60 }), (entries, choices) => {
        const lists: Placed[][] = [[], [], [], []];
        const sorted = entries.toSorted(compareOrder);
        for (const [index, entry] of sorted.entries()) {
          const [one = 0, other = 0] = choices.slice(2 * index);
          for (const list of new Set([one, other])) lists[list]?.push(entry);
        }
        const merged = [...mergeInOrder(lists)];
        expect(merged).toEqual(lists.flat().sort(compareOrder));
        expect(merged.filter((entry, at) => entry !== merged[at - 1])).toEqual(sorted);
      }),
      { numRuns: 1_000 },
    );
  });

  test("merging no lists, or only empty lists, gives no items", () => {
    expect([...mergeInOrder([])]).toEqual([]);
    expect([...mergeInOrder([[], []])]).toEqual([]);
  });
});
