import { readdirSync } from "node:fs";
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { EventLine } from "../../src/protocol/event.ts";
import { limits } from "../../src/protocol/limits.ts";
import { EventMaker, serverName } from "../support/event-lines.ts";
import { makeMember, OpenDisk } from "../support/open-disk.ts";
import { memoryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";

/**
 * The code of the error with which opening the temporary file fails, and how often it has failed.
 */
const disk = vi.hoisted(() => ({ code: undefined as string | undefined, refusals: 0 }));

vi.mock("node:fs/promises", async (original) => {
  const fs = await original<typeof import("node:fs/promises")>();
  const open = async (...args: Parameters<typeof fs.open>) => {
    const isOurs = String(args[0]).endsWith("publications.json.tmp");
    if (!isOurs || disk.code === undefined) return fs.open(...args);
    disk.refusals += 1;
    throw Object.assign(new Error(`${disk.code}: told by the test`), { code: disk.code });
  };
  return { ...fs, default: fs, open };
});

beforeEach(() => {
  disk.code = undefined;
  disk.refusals = 0;
});

const peer = serverName(2);
/** A text for an event: after twenty such events, the server tries again to save its state. */
const long = "x".repeat(limits.checkpointRetryBytes / 20);

function temporary(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.endsWith(".tmp"));
}

async function write(open: OpenDisk, lines: readonly EventLine[]): Promise<void> {
  open.put(lines);
  await open.settled();
}

describe("a disk without space for a saved state", () => {
  test("[J1] if the disk has no space for a saved state, the server logs one error, runs on, and tries again when the journal has grown", async () => {
    await using folder = await memoryFolder();
    makeMember(folder.path);
    const open = await OpenDisk.at(folder.path, { checkpointBytes: 6_000 });
    const maker = new EventMaker();
    disk.code = "ENOSPC";
    await write(open, maker.many(peer, 40));
    await until(() => open.errors.length > 0, "it says so");
    expect(open.errors).toEqual([expect.stringContaining("The disk is full")]);
    expect(temporary(folder.path)).toEqual([]);
    // The server does not try again after every batch.
    for (let batch = 0; batch < 5; batch += 1) await write(open, [maker.next(peer, long)]);
    expect(disk.refusals).toBe(1);
    disk.code = undefined;
    await write(open, maker.many(peer, 20, long));
    await until(() => open.infos.includes("Saved the state"), "the state is saved");
    expect(open.failures).toEqual([]);
    await open.close();
  });

  test("[J1] [R11] a server that stops without space for a saved state keeps all events in its journal", async () => {
    await using folder = await memoryFolder();
    makeMember(folder.path);
    const maker = new EventMaker();
    for (let start = 1; start <= 3; start += 1) {
      const open = await OpenDisk.at(folder.path, { checkpointBytes: 6_000 });
      expect(open.held[peer] ?? 0).toBe(20 * (start - 1));
      disk.code = "ENOSPC";
      await write(open, maker.many(peer, 20));
      await open.close();
      expect(open.failures).toEqual([]);
      expect(temporary(folder.path)).toEqual([]);
    }
    // Once there is space again, a stop saves the state even if no event is new.
    disk.code = undefined;
    const open = await OpenDisk.at(folder.path);
    await open.close();
    expect(open.infos).toContain("Saved the state");
  });

  test("[R2] a server ends if saving its state fails with an error other than a full disk", async () => {
    await using folder = await memoryFolder();
    makeMember(folder.path);
    const open = await OpenDisk.at(folder.path, { checkpointBytes: 6_000 });
    disk.code = "EIO";
    await write(open, new EventMaker().many(peer, 40));
    await until(() => open.failures.length > 0, "it says why it ends");
    expect(open.failures[0]).toContain("can't be written (EIO");
  });
});
