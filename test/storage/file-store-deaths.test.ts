import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  type rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { checkpointFiles } from "../../src/storage/checkpoint.ts";
import { EventMaker } from "../support/event-lines.ts";
import { damage, damageable, fill, journalFile, own, peer } from "../support/member-folder.ts";
import { makeMember, OpenDisk } from "../support/open-disk.ts";
import { OpenJournal } from "../support/open-journal.ts";
import { memoryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";

/** How many more changes of file names the simulated process survives, and how many it has made. */
const life = vi.hoisted(() => ({ left: Number.POSITIVE_INFINITY, used: 0 }));

const dying = vi.hoisted(() => {
  const spend = () => {
    life.used += 1;
    life.left -= 1;
    if (life.left < 0) throw new Error("the process died");
  };
  type Call = (...args: never[]) => unknown;
  const each = <C extends Call>(call: C) =>
    ((...args: never[]) => {
      spend();
      return call(...args);
    }) as C;
  const eachLater = <C extends Call>(call: C) =>
    (async (...args: never[]) => {
      spend();
      return await call(...args);
    }) as unknown as C;
  return { each, eachLater, spend };
});

vi.mock("node:fs", async (original) => {
  const fs = await original<typeof import("node:fs")>();
  const { each, spend } = dying;
  const { renameSync, unlinkSync, linkSync, mkdirSync: mkdir } = fs;
  /** Removes file by file, so that the process can die in the middle. */
  const rmSync = (path: string, options: { recursive?: boolean; force?: boolean } = {}) => {
    if (options.recursive && fs.existsSync(path)) {
      for (const entry of fs.readdirSync(path, { withFileTypes: true })) {
        rmSync(`${path}/${entry.name}`, { ...options, recursive: entry.isDirectory() });
      }
    }
    if (!fs.existsSync(path)) return;
    spend();
    fs.rmSync(path, options);
  };
  const changed = {
    renameSync: each(renameSync),
    unlinkSync: each(unlinkSync),
    linkSync: each(linkSync),
    mkdirSync: each(mkdir as never) as typeof mkdir,
    rmSync,
  };
  return { ...fs, ...changed, default: { ...fs, ...changed } };
});

vi.mock("node:fs/promises", async (original) => {
  const fs = await original<typeof import("node:fs/promises")>();
  const { rmSync } = await import("node:fs");
  const { eachLater } = dying;
  const changed = {
    rename: eachLater(fs.rename),
    unlink: eachLater(fs.unlink),
    rm: async (...args: Parameters<typeof rmSync>) => rmSync(...args),
  };
  return { ...fs, ...changed, default: { ...fs, ...changed } };
});

beforeEach(() => {
  life.left = Number.POSITIVE_INFINITY;
});

function copy(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (entry.isDirectory()) copy(join(from, entry.name), join(to, entry.name));
    else copyFileSync(join(from, entry.name), join(to, entry.name));
  }
}

/**
 * Runs a process on copies of a folder, and lets it die at the first change of a file name, then at
 * the second, and so on, until the process ends alive. @returns how many times it died
 */
async function atEachDeath(
  original: string,
  process: (folder: string) => Promise<void>,
  restart: (folder: string) => Promise<void>,
): Promise<number> {
  for (let changes = 0; ; changes += 1) {
    const folder = `${original}-${changes}`;
    copy(original, folder);
    life.used = 0;
    life.left = changes;
    await process(folder).catch(() => {});
    const { used } = life;
    life.left = Number.POSITIVE_INFINITY;
    await restart(folder);
    if (used <= changes) return changes;
  }
}

describe("a damaged folder", () => {
  test.each(damageable)(
    "[J5] after a crash at any point of the repair of %s, the next start still knows that events are missing",
    async (name) => {
      await using parent = await memoryFolder();
      const original = join(parent.path, "original");
      await fill(original);
      damage(original, name);
      const deaths = await atEachDeath(
        original,
        async (folder) => {
          await OpenDisk.at(folder);
        },
        async (folder) => {
          const open = await OpenDisk.at(folder);
          expect(open.core.ledger.missesEvents, folder).toBe(true);
          expect(open.held).toEqual(name === journalFile ? { [own]: 5, [peer]: 3 } : {});
          await open.close();
        },
      );
      expect(deaths).toBeGreaterThan(10);
    },
  );
});

describe("a crash while a state is saved", () => {
  test("[J1] a crash at any point while a state is saved loses no event", async () => {
    await using parent = await memoryFolder();
    const original = join(parent.path, "original");
    await fill(original);
    const deaths = await atEachDeath(
      original,
      async (folder) => {
        const open = await OpenDisk.at(folder);
        await open.close();
      },
      async (folder) => {
        const open = await OpenDisk.at(folder);
        expect(open.errors).toEqual([]);
        expect(open.held, folder).toEqual({ [own]: 5, [peer]: 4 });
        expect(open.core.ledger.missesEvents).toBe(false);
        await open.close();
      },
    );
    expect(deaths).toBeGreaterThan(5);
  });

  test("[J1] [R8] a crash at any point while a server saves a state with a peer's events loses nothing and damages nothing", async () => {
    await using parent = await memoryFolder();
    const original = join(parent.path, "original");
    await fill(original);
    // The peer's state has events of the peer that the server lacks.
    const theirs = join(parent.path, "theirs");
    makeMember(theirs);
    const maker = new EventMaker();
    {
      await using journal = await OpenJournal.at(join(theirs, "journal"));
      await journal.write([...maker.many(own, 3), ...maker.many(peer, 2)]);
      await journal.write([...maker.many(peer, 2), ...maker.many(own, 2), ...maker.many(peer, 9)]);
    }
    const other = await OpenDisk.at(theirs);
    await other.close();
    mkdirSync(join(original, "snapshot"));
    for (const name of checkpointFiles) {
      copyFileSync(join(theirs, name), join(original, "snapshot", name));
    }
    const deaths = await atEachDeath(
      original,
      async (folder) => {
        const open = await OpenDisk.at(folder);
        open.disk.checkpointIfDue(open.core);
        await open.close();
      },
      async (folder) => {
        const open = await OpenDisk.at(folder);
        expect(open.errors, folder).toEqual([]);
        expect(open.held, folder).toEqual({ [own]: 5, [peer]: 13 });
        expect(open.core.ledger.missesEvents).toBe(false);
        open.disk.checkpointIfDue(open.core);
        await until(() => !existsSync(join(folder, "snapshot")), "it stands for both");
        await open.close();
        const left = readdirSync(folder).filter((name) => /snapshot/.test(name));
        expect(left).toEqual([]);
      },
    );
    expect(deaths).toBeGreaterThan(10);
  });

  test("a starting server removes the files of an unfinished fetch of a saved state", async () => {
    await using parent = await memoryFolder();
    const folder = join(parent.path, "1");
    await fill(folder);
    mkdirSync(join(folder, "snapshot.tmp"));
    writeFileSync(join(folder, "snapshot.tmp", "users.json"), "{");
    const open = await OpenDisk.at(folder);
    expect(existsSync(join(folder, "snapshot.tmp"))).toBe(false);
    await open.close();
  });
});
