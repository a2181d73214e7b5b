import { beforeEach, describe, expect, test, vi } from "vitest";
import { EventMaker, serverName } from "../support/event-lines.ts";
import { OpenJournal } from "../support/open-journal.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";

const disk = vi.hoisted(() => ({
  syncs: 0,
  failure: undefined as undefined | { call: "write" | "sync"; code: string },
  held: undefined as undefined | (() => void)[],
}));

vi.mock("node:fs", async (original) => {
  const fs = await original<typeof import("node:fs")>();
  type Done = (error: Error | null, ...results: unknown[]) => void;
  const failing = (call: "write" | "sync") =>
    disk.failure?.call === call
      ? Object.assign(new Error(`${disk.failure.code}: told by the test`), {
          code: disk.failure.code,
        })
      : undefined;
  const fdatasync = (fd: number, done: Done) => {
    disk.syncs += 1;
    const error = failing("sync");
    const finish = () => (error === undefined ? fs.fdatasync(fd, done) : done(error));
    if (disk.held === undefined) finish();
    else disk.held.push(finish);
  };
  const write = Object.assign(
    (...args: unknown[]) => {
      const error = failing("write");
      if (error !== undefined) (args.at(-1) as Done)(error);
      else (fs.write as (...args: unknown[]) => void)(...args);
    },
    // `promisify(fs.write)` resolves with an object that has `bytesWritten`.
    {
      [Symbol.for("nodejs.util.promisify.custom")]: async (...args: unknown[]) => {
        const error = failing("write");
        if (error !== undefined) throw error;
        const [fd, bytes, offset, length, position] = args as [
          number,
          Buffer,
          number,
          number,
          number,
        ];
        return { bytesWritten: fs.writeSync(fd, bytes, offset, length, position) };
      },
    },
  );
  return { ...fs, default: fs, fdatasync, write };
});

const server = serverName(1);

beforeEach(() => {
  disk.syncs = 0;
  disk.failure = undefined;
  disk.held = undefined;
});

describe("group commit", () => {
  test("[R2] lines that are appended in one turn of the event loop share a sync", async () => {
    await using folder = await temporaryFolder();
    await using journal = await OpenJournal.at(folder.path);
    const maker = new EventMaker();
    disk.syncs = 0;
    for (let number = 0; number < 100; number += 1) journal.append([maker.next(server)]);
    await journal.flushed();
    expect(journal.flushes).toEqual([100]);
    expect(disk.syncs).toBe(1);
  });

  test("[R2] lines that are appended during a sync share the next sync", async () => {
    await using folder = await temporaryFolder();
    await using journal = await OpenJournal.at(folder.path);
    const maker = new EventMaker();
    disk.syncs = 0;
    disk.held = [];
    journal.append([maker.next(server)]);
    await until(() => disk.held?.length === 1, "the first sync is under way");
    for (let number = 0; number < 50; number += 1) journal.append([maker.next(server)]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(disk.syncs).toBe(1);
    expect(journal.flushes).toEqual([]);
    const release = disk.held;
    disk.held = undefined;
    for (const finish of release) finish();
    await journal.flushed();
    expect(journal.flushes).toEqual([1, 50]);
    expect(disk.syncs).toBe(2);
  });
});

describe("a disk that fails", () => {
  test.each([
    ["sync", "EIO"],
    ["write", "ENOSPC"],
  ] as const)(
    "[R2] if a journal's %s fails with %s, the journal reports the failure once, and counts none of the new lines as flushed",
    async (call, code) => {
      await using folder = await temporaryFolder();
      const journal = await OpenJournal.at(folder.path);
      const maker = new EventMaker();
      await journal.write(maker.many(server, 3));
      disk.failure = { call, code };
      await journal.write(maker.many(server, 2));
      expect(journal.flushes).toEqual([3]);
      expect(journal.failures).toHaveLength(1);
      expect(journal.failures[0]).toContain("00000001.jsonl");
      expect(journal.failures[0]).toContain(code);
      if (code === "ENOSPC") expect(journal.failures[0]).toContain("The disk is full");
    },
  );

  test("[R2] a failed sync is not repeated, because a later successful sync would prove nothing", async () => {
    await using folder = await temporaryFolder();
    const journal = await OpenJournal.at(folder.path);
    const maker = new EventMaker();
    disk.failure = { call: "sync", code: "EIO" };
    await journal.write(maker.many(server, 2));
    disk.failure = undefined;
    const { syncs } = disk;
    journal.append(maker.many(server, 1));
    // A flush would begin within a turn or two of the event loop.
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(disk.syncs).toBe(syncs);
    expect(journal.flushes).toEqual([]);
  });

  test("[R2] a journal whose folder was deleted reports a failure when it begins its next file", async () => {
    const folder = await temporaryFolder();
    const journal = await OpenJournal.at(folder.path, { fileBytes: 1 });
    const maker = new EventMaker();
    await journal.write(maker.many(server, 1));
    await folder[Symbol.asyncDispose]();
    await journal.write(maker.many(server, 1));
    expect(journal.flushes).toEqual([1]);
    expect(journal.failures).toHaveLength(1);
  });
});
