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
