import { expect, test } from "vitest";
import { DiskWatch } from "../../src/storage/disk-watch.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";

test("a server soon knows the free and the total bytes of its folder's disk", async () => {
  await using folder = await temporaryFolder();
  using watch = new DiskWatch(folder.path);
  await until(() => watch.space !== undefined, "the system has told the space");
  const { freeBytes = -1, totalBytes = -1 } = watch.space ?? {};
  expect(freeBytes).toBeGreaterThanOrEqual(0);
  expect(totalBytes).toBeGreaterThanOrEqual(freeBytes);
});
