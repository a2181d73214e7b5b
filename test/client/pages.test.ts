import { expect, test } from "vitest";
import { pages, readPages } from "../../src/client/pages.ts";
import type { ServerName } from "../../src/protocol/ids.ts";
import type { Entry } from "../../src/protocol/publications.ts";
import type { HistoryPage } from "../../src/protocol/replies.ts";
import type { HistoryOptions } from "../../src/protocol/request-data.ts";

const name = { channel: "geral" as never };
const server = "server_0a1b2c3d" as ServerName;

/** The entries numbered from `first` to `last`. */
function entries(first: number, last: number): Entry[] {
  return Array.from({ length: last - first + 1 }, (_, at) => ({ seq: first + at }) as Entry);
}

const numbers = (of: readonly Entry[]) => of.map(({ seq }) => seq);

/** A client with a history of `count` entries (H3 to H5); every second page is empty (H2). */
function historyOf(count: number) {
  const asked: HistoryOptions[] = [];
  let committed = count;
  const history = async (_name: object, options: HistoryOptions = {}): Promise<HistoryPage> => {
    asked.push(options);
    const { limit = 100, before, since } = options;
    const room = asked.length % 2 === 0 ? 0 : limit;
    if (since !== undefined) {
      const from = since[server] ?? 0;
      const to = Math.min(count, from + room);
      const next = to < count ? `${to}` : undefined;
      return { entries: entries(from + 1, to), next, seen: { [server]: to } };
    }
    const to = before === undefined ? count : Number(before);
    const from = Math.max(0, to - room);
    const next = from > 0 ? `${from}` : undefined;
    // While each page is read, a new entry is committed.
    committed += 1;
    return { entries: entries(from + 1, to), next, seen: { [server]: committed - 1 } };
  };
  return { client: { history }, asked };
}

test("[H3] a client reads pages from the newest entry to older ones, and each page has the `seen` of the newest page", async () => {
  const { client } = historyOf(2_500);
  const found: HistoryPage[] = [];
  for await (const page of pages(client, name)) found.push(page);
  expect(found.map(({ entries: { length } }) => length)).toEqual([1_000, 0, 1_000, 0, 500]);
  expect(numbers(found.at(-1)?.entries ?? [])).toEqual(numbers(entries(1, 500)));
  expect(new Set(found.map(({ seen }) => seen[server]))).toEqual(new Set([2_500]));
});

test("[H4] with `since`, a client reads pages forward, and `seen` covers only the entries that were read", async () => {
  const { client } = historyOf(2_500);
  const read = await readPages(client, name, { since: { [server]: 700 }, most: 1_100 });
  expect(numbers(read.entries)).toEqual(numbers(entries(701, 1_800)));
  expect(read).toMatchObject({ seen: { [server]: 1_800 }, next: "1800" });
});

test("[H2] `readPages` goes on after an empty page until it has as many entries as wanted", async () => {
  const { client, asked } = historyOf(2_500);
  const read = await readPages(client, name, { first: 10, most: 1_200 });
  expect(numbers(read.entries)).toEqual(numbers(entries(1_301, 2_500)));
  expect(read.next).toBe("1300");
  expect(asked.map(({ limit }) => limit)).toEqual([10, 1_000, 1_000, 190, 190]);
});

test("`readPages` reads no page after the page for which `isEnough` returns true", async () => {
  const { client, asked } = historyOf(2_500);
  const isEnough = ([oldest]: readonly Entry[]) => oldest !== undefined && oldest.seq < 2_000;
  const read = await readPages(client, name, { isEnough });
  expect(numbers(read.entries)).toEqual(numbers(entries(1_501, 2_500)));
  expect(asked).toHaveLength(1);
});

test.each([
  ["the same `next` again and again", ["5"]],
  ["two values of `next` in turn", ["9", "5"]],
])(
  "`readPages` stops when a server's pages lead back to a page that `readPages` has already read: %s",
  async (_how, places) => {
    let asked = 0;
    const history = async (): Promise<HistoryPage> => {
      const next = places[asked % places.length];
      asked += 1;
      return { entries: entries(1, 2), next, seen: {} };
    };
    const read = await readPages({ history }, name, {});
    expect(read.entries).toHaveLength(2 * (places.length + 1));
  },
);

test("`readPages` stops after a bounded number of pages if a server sends only empty pages", async () => {
  let asked = 0;
  const history = async (): Promise<HistoryPage> => {
    asked += 1;
    return { entries: [], next: "5", seen: {} };
  };
  for (const start of [{}, { since: {} }])
    expect((await readPages({ history }, name, start)).entries).toEqual([]);
  expect(asked).toBeLessThan(300);
});
