import { expect, test } from "vitest";
import { readFound } from "../../../src/client/core/search.ts";
import type { Entry } from "../../../src/protocol/publications.ts";

const entry = (seq: number) => ({ seq }) as Entry;

test("[Q31] a search goes on page by page until enough is found, and says where it can go on", async () => {
  const asked: object[] = [];
  const pages = [
    { entries: [entry(8), entry(9)], next: "8" },
    { entries: [], next: "6" },
    { entries: [entry(3)], next: "3" },
    { entries: [entry(1)] },
  ];
  const search = async (page: object) => {
    asked.push(page);
    return pages[asked.length - 1] as never;
  };
  const first = await readFound(search, { most: 3 });
  expect(first).toEqual({ entries: [entry(3), entry(8), entry(9)], next: "3" });
  const rest = await readFound(search, { most: 3, before: first.next });
  expect(rest).toEqual({ entries: [entry(1)], next: undefined });
  expect(asked).toEqual([
    { before: undefined, limit: 3 },
    { before: "8", limit: 1 },
    { before: "6", limit: 1 },
    { before: "3", limit: 3 },
  ]);
});

test("[Q31] a search ends if a server repeats pages", async () => {
  let asked = 0;
  const search = async () => {
    asked += 1;
    return { entries: [], next: `${asked % 2}` };
  };
  await readFound(search, { most: 3 });
  expect(asked).toBe(3);
});
