import { expect, test } from "vitest";
import { Buckets } from "../../src/protocol/buckets.ts";
import { limits } from "../../src/protocol/limits.ts";

test("[X4] a bucket gives its whole burst at once, and then returns the milliseconds until the next token", () => {
  const buckets = new Buckets({ perSecond: 2, burst: 3 });
  expect([0, 0, 0, 0].map((at) => buckets.take("ana", at))).toEqual([0, 0, 0, 500]);
  expect(buckets.take("ana", 200)).toBe(300);
  expect(buckets.take("ana", 500)).toBe(0);
  expect(buckets.take("ana", 500)).toBe(500);
  expect(buckets.take("bea", 500)).toBe(0);
  // A bucket never holds more than its burst, however long it was unused.
  expect([1, 1, 1, 1].map((at) => buckets.take("ana", 1e9 + at))).toEqual([0, 0, 0, 500]);
});

test("[X4] when there are too many buckets, the least recently used bucket is forgotten", () => {
  const buckets = new Buckets({ perSecond: 0.001, burst: 1 });
  for (const key of ["ana", "bea"]) buckets.take(key, 0);
  for (let number = 2; number < limits.floodBuckets; number += 1) buckets.take(`${number}`, 0);
  expect(buckets.take("ana", 0)).toBeGreaterThan(0);
  buckets.take("one more", 0);
  expect(buckets.take("ana", 0)).toBeGreaterThan(0);
  expect(buckets.take("bea", 0)).toBe(0);
});
