import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { Recent } from "../../src/protocol/recent.ts";

test("a full map of recent entries forgets the key that was set longest ago, however recently the key was read", () => {
  const recent = new Recent<string, number>(2);
  recent.set("a", 1);
  recent.set("b", 2);
  recent.set("a", 3);
  recent.get("b");
  recent.set("c", 4);
  expect(["a", "b", "c"].map((key) => recent.get(key))).toEqual([3, undefined, 4]);
});

test("a map of recent entries takes no more memory the more often the same keys are set", () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const recent = new Recent<string, { readonly set: number }>(20_000);
  const usedAfter = (sets: number) => {
    for (let set = 0; set < sets; set += 1) recent.set(`key ${set % 3}`, { set });
    collect();
    return process.memoryUsage().heapUsed;
  };
  const before = usedAfter(100_000);
  expect(usedAfter(900_000) - before).toBeLessThan(10_000_000);
});
