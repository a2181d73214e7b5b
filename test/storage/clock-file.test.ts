import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { LamportClock } from "../../src/protocol/lamport-clock.ts";
import { limits } from "../../src/protocol/limits.ts";
import { ClockFile } from "../../src/storage/clock-file.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";

function fail(reason: string): never {
  throw new Error(reason);
}

async function opened(folder: string, begin = 0) {
  const clock = new LamportClock(begin);
  return { clock, file: await ClockFile.open(folder, clock, fail) };
}

function reserved(folder: string): number {
  return JSON.parse(readFileSync(join(folder, "clock.json"), "utf8")).reserved as number;
}

test("[X1] [R7] the clock on disk is always ahead of the running clock, however far the running clock jumps", async () => {
  await using folder = await temporaryFolder();
  const { clock, file } = await opened(folder.path, 5);
  await using _closed = file;
  for (let count = 0; count < 3 * limits.clockReserve; count += 1) {
    clock.tick();
    if (count % 20_000 === 0) expect(reserved(folder.path)).toBeGreaterThanOrEqual(clock.value);
  }
  for (const jump of [1, limits.clockReserve - 1, limits.clockReserve, 10 * limits.clockReserve]) {
    clock.receive(clock.value + jump);
    expect(reserved(folder.path)).toBeGreaterThanOrEqual(clock.value);
  }
});

test("[X1] [R7] after a crash the clock continues above every earlier value", async () => {
  await using folder = await temporaryFolder();
  let highest = -1;
  for (let start = 0; start < 5; start += 1) {
    // Closing the file writes nothing, so a close is the same as kill -9.
    const { clock, file } = await opened(folder.path);
    await using _closed = file;
    expect(clock.value).toBeGreaterThan(highest);
    for (let count = 0; count < start * 40_000; count += 1) clock.tick();
    highest = clock.value;
  }
});

test("[X1] the clock on disk is raised once half of its lead over the running clock is used up", async () => {
  await using folder = await temporaryFolder();
  const { clock, file } = await opened(folder.path);
  const before = reserved(folder.path);
  clock.receive(limits.clockReserve / 2 + 10);
  await until(() => reserved(folder.path) > before, "the reserve is filled");
  await file[Symbol.asyncDispose]();
  expect(readdirSync(folder.path)).toEqual(["clock.json"]);
});

test("[X1] a clock that jumps 1,000 times is written to disk fewer than 50 times", async () => {
  await using folder = await temporaryFolder();
  const { clock, file } = await opened(folder.path);
  await using _closed = file;
  const seen = new Set<number>();
  for (let leap = 0; leap < 1_000; leap += 1) {
    clock.receive(clock.value + limits.clockAhead);
    const ahead = reserved(folder.path);
    expect(ahead).toBeGreaterThanOrEqual(clock.value);
    seen.add(ahead);
  }
  expect(seen.size).toBeLessThan(50);
});

test("opening a damaged clock file fails with an error that names the file", async () => {
  await using folder = await temporaryFolder();
  writeFileSync(join(folder.path, "clock.json"), "{}");
  await expect(opened(folder.path)).rejects.toThrow(/clock.json is damaged/);
});
