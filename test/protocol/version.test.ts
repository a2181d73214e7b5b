import { expect, test } from "vitest";
import { selfReport } from "../../src/protocol/parse-list.ts";
import { compareVersions, newestOf } from "../../src/protocol/version.ts";

/** From the lowest to the highest; the pre-releases are the example of Semantic Versioning. */
const ascending = [
  "0.9.9",
  "1.0.0-alpha",
  "1.0.0-alpha.1",
  "1.0.0-alpha.beta",
  "1.0.0-beta",
  "1.0.0-beta.2",
  "1.0.0-beta.11",
  "1.0.0-rc.1",
  "1.0.0",
  "1.0.1-0",
  "1.9.0",
  "1.10.0",
];

test("versions are ordered by their numbers, and a pre-release is lower than its release", () => {
  for (const [left, a] of ascending.entries()) {
    for (const [right, b] of ascending.entries()) {
      expect(Math.sign(compareVersions(a, b)), `${a} ${b}`).toBe(Math.sign(left - right));
    }
  }
  expect(newestOf(["1.0.0", "1.0.1-rc.1", "0.9.0"])).toBe("1.0.1-rc.1");
  expect(newestOf([])).toBeUndefined();
});

test("a missing number of a version counts as 0", () => {
  expect(compareVersions("20.19", "20.19.0")).toBe(0);
  expect(compareVersions("20.19.1", "20.19")).toBeGreaterThan(0);
});

test("a process can report a pre-release as its version, but no other text", () => {
  expect(selfReport.version("1.0.0-rc.1")).toBe("1.0.0-rc.1");
  for (const wrong of ["1.0", "1.0.0-", "1.0.0-\x1b[2J", `1.0.0-${"a".repeat(33)}`, 1]) {
    expect(selfReport.version(wrong)).toBeUndefined();
  }
});
