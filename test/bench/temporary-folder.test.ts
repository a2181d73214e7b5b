import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const script = fileURLToPath(new URL("../support/ended-bench.ts", import.meta.url));

test("a bench leaves no folder behind if a signal ends it while it removes the folder", () => {
  const ended = spawnSync(process.execPath, ["--import", "tsx", script], { encoding: "utf8" });
  expect(ended).toMatchObject({ status: 130, stderr: "" });
  expect(ended.stdout).toContain("tertulia-bench-");
  expect(existsSync(ended.stdout)).toBe(false);
});
