import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { digest } from "../../src/platform/digest.ts";
import { Problem } from "../../src/platform/problem.ts";
import type { EventLine } from "../../src/protocol/event.ts";
import { checkpointFiles } from "../../src/storage/checkpoint.ts";
import { describeDamage } from "../../src/storage/damage.ts";
import { verifyFolder } from "../../src/storage/verify.ts";
import { EventMaker, serverName } from "../support/event-lines.ts";
import { flipped, lineOf } from "../support/journal-files.ts";
import { makeMember, OpenDisk } from "../support/open-disk.ts";
import { OpenJournal } from "../support/open-journal.ts";
import { memoryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";

/** How many more names may change until the process dies; from then on none does. */
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
  /** File by file: a process may die in the middle. */
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

const [own, peer] = [serverName(1), serverName(2)];

interface Contents {
  /** In the journal before the state was saved, and behind it. */
  readonly before: readonly EventLine[];
  readonly after: readonly EventLine[];
}

/** A folder of a member of three: a saved state, the journal behind it, and none before it. */
async function fill(
  folder: string,
  { members = [1, 2, 3].map(serverName), keepsOlder = false } = {},
): Promise<Contents> {
  const maker = new EventMaker();
  const before = [...maker.many(own, 3), ...maker.many(peer, 2)];
  const after = [...maker.many(peer, 2), ...maker.many(own, 2)];
  makeMember(folder, members);
  const write = async (lines: readonly EventLine[], clock: number) => {
    const open = await OpenDisk.at(folder);
    open.clock.receive(clock);
    open.put(lines);
    return open;
  };
  const first = await write(before, 100);
  await first.close();
  const second = await write(after, 900);
  await second.disk.close(undefined);
  if (!keepsOlder) rmSync(join(folder, "journal", "00000001.jsonl"));
  return { before, after };
}

/** A copy that the next try may damage. */
function copy(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (entry.isDirectory()) copy(join(from, entry.name), join(to, entry.name));
    else copyFileSync(join(from, entry.name), join(to, entry.name));
  }
}

/** Damages a byte in the middle of a file. @returns its place, as the log names it */
function damage(folder: string, name: string): string {
  const path = join(folder, name);
  const bytes = readFileSync(path);
  const at = bytes.length >> 1;
  writeFileSync(path, flipped(bytes, at, 1));
  return `${path}:${lineOf(bytes, at)} is damaged`;
}

const journalFile = "journal/00000002.jsonl";
const damageable = [...checkpointFiles, journalFile];

/**
 * Runs a process on copies of a folder, and lets it die at each change of a name, until it lives
 * to its end. @returns how many times it died
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

describe("a folder in which something is damaged", () => {
  test.each(damageable)("[J5] %s: is named, owed, and kept for a person", async (name) => {
    await using parent = await memoryFolder();
    const folder = join(parent.path, "1");
    const { after } = await fill(folder);
    const place = damage(folder, name);
    const open = await OpenDisk.at(folder);
    expect(open.errors.join("\n")).toContain(place);
    expect(open.core.ledger.owes).toBe(true);
    expect(open.disk.isDamaged).toBe(true);
    expect(open.disk.way).toContain(place);
    expect(existsSync(join(folder, "damaged", name))).toBe(true);
    const { owed } = JSON.parse(readFileSync(join(folder, "promises.json"), "utf8"));
    const last = after.at(-1) as EventLine;
    expect(owed).toMatchObject({ [own]: { seq: 5 }, [peer]: { seq: 4 } });
    expect(owed[own].chain === last.chain || /^0+$/.test(owed[own].chain)).toBe(true);
    // What was whole is still there.
    expect(open.held).toEqual(name === journalFile ? { [own]: 5, [peer]: 3 } : {});
    await open.close();
    // It owes until it was returned, whatever happens.
    const again = await OpenDisk.at(folder);
    expect(again.errors).toEqual([]);
    expect(again.core.ledger.owes).toBe(true);
    await again.close();
  });

  test.each(damageable)("[R7] %s: the clock that was noted is kept", async (name) => {
    await using parent = await memoryFolder();
    const folder = join(parent.path, "1");
    await fill(folder);
    damage(folder, name);
    for (let start = 0; start < 2; start += 1) {
      const open = await OpenDisk.at(folder);
      expect(open.clock.value).toBeGreaterThanOrEqual(900);
      await open.close();
    }
  });

  test.each(damageable)(
    "[J5] %s: a crash at any point of beginning anew comes to it again",
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
          expect(open.core.ledger.owes, folder).toBe(true);
          expect(open.held).toEqual(name === journalFile ? { [own]: 5, [peer]: 3 } : {});
          await open.close();
        },
      );
      expect(deaths).toBeGreaterThan(10);
    },
  );

  test.each(damageable)(
    "[J5] %s of a lone server: it stops and names file, line and way out",
    async (name) => {
      await using parent = await memoryFolder();
      const folder = join(parent.path, "1");
      await fill(folder, { members: [own] });
      const place = damage(folder, name);
      const files = readdirSync(folder);
      const problem = await OpenDisk.at(folder).catch((error: unknown) => error);
      expect(problem).toBeInstanceOf(Problem);
      expect((problem as Problem).message).toContain(place);
      expect((problem as Problem).message).toContain("there is no other member: restore");
      expect(readdirSync(folder)).toEqual(files);
    },
  );

  test.each(checkpointFiles)(
    "[J5] %s of a lone server whose journal tells all: it goes on",
    async (name) => {
      await using parent = await memoryFolder();
      const folder = join(parent.path, "1");
      await fill(folder, { members: [own], keepsOlder: true });
      const place = damage(folder, name);
      for (const errors of [1, 0]) {
        const open = await OpenDisk.at(folder);
        expect(open.errors).toHaveLength(errors);
        if (errors > 0) expect(open.errors[0]).toContain(place);
        expect(open.core.ledger.owes).toBe(false);
        expect(open.held).toEqual({ [own]: 5, [peer]: 4 });
        await open.close();
      }
    },
  );

  test("[R1] [J5] a journal that is gone is no new one: no `seq` is used a second time", async () => {
    await using parent = await memoryFolder();
    const folder = join(parent.path, "1");
    await fill(folder);
    rmSync(join(folder, "journal"), { recursive: true });
    const place = `${join(folder, journalFile)}:1 is damaged (it is missing)`;
    expect(verifyFolder(folder, digest).damages.map(describeDamage)).toEqual([place]);
    const problem = await OpenDisk.at(folder).catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(Problem);
    expect((problem as Problem).message).toContain(place);
    expect((problem as Problem).message).toContain("it can't be told what was lost");
  });

  test("[R1] [J5] also one that was never saved", async () => {
    await using parent = await memoryFolder();
    const folder = join(parent.path, "1");
    makeMember(folder);
    const open = await OpenDisk.at(folder);
    open.put(new EventMaker().many(own, 3));
    await open.disk.close(undefined);
    rmSync(join(folder, "journal", "00000001.jsonl"));
    await expect(OpenDisk.at(folder)).rejects.toThrow(
      "00000001.jsonl:1 is damaged (it is missing)",
    );
  });

  test("[J2] a journal that was just begun, with rot in it, held nothing: it is begun again", async () => {
    await using parent = await memoryFolder();
    const folder = join(parent.path, "1");
    await fill(folder);
    const open = await OpenDisk.at(folder);
    await open.close();
    const begun = join(folder, "journal", "00000003.jsonl");
    damage(folder, "journal/00000003.jsonl");
    rmSync(join(folder, journalFile));
    for (let start = 0; start < 2; start += 1) {
      const again = await OpenDisk.at(folder);
      expect(again.errors).toEqual([]);
      expect(again.held).toEqual({ [own]: 5, [peer]: 4 });
      expect(existsSync(begun)).toBe(true);
      await again.disk.close(undefined);
    }
  });

  test("[J5] what no header tells any more: it stops rather than guess", async () => {
    await using parent = await memoryFolder();
    const folder = join(parent.path, "1");
    await fill(folder);
    damage(folder, "checkpoint.json");
    const path = join(folder, journalFile);
    writeFileSync(path, flipped(readFileSync(path), 20, 1));
    await expect(OpenDisk.at(folder)).rejects.toThrow("it can't be told what was lost");
  });

  test("[J5] once all was returned the server may speak, and the damaged files go", async () => {
    await using parent = await memoryFolder();
    const folder = join(parent.path, "1");
    const { after } = await fill(folder);
    damage(folder, journalFile);
    const open = await OpenDisk.at(folder);
    expect(open.disk.isOwed(after)).toBe(true);
    expect(open.disk.isOwed([new EventMaker().next(serverName(3))])).toBe(false);
    open.put(after);
    await open.disk.repaired();
    await open.close();
    expect(existsSync(join(folder, "damaged"))).toBe(false);
    const again = await OpenDisk.at(folder);
    expect(again.core.ledger.owes).toBe(false);
    expect(again.held).toEqual({ [own]: 5, [peer]: 4 });
    await again.close();
  });
});

describe("what is whole behind the damage", () => {
  /** Returns lines as a peer would. */
  function giveBack(open: OpenDisk, lines: readonly EventLine[]): void {
    for (const { line } of lines) open.core.ledger.receive(line);
    open.core.ledger.takeSpare();
    open.disk.append(open.core.ledger.takeAppended());
  }

  test("[J5] [R2] what was written and never spoken of is taken from the damaged journal", async () => {
    await using parent = await memoryFolder();
    const folder = join(parent.path, "1");
    const { before, after } = await fill(folder);
    damage(folder, "users.json");
    {
      const open = await OpenDisk.at(folder);
      open.core.ledger.takeSpare();
      expect(open.held).toEqual({});
      await open.close();
    }
    // Another start, and only then the peers return what they have.
    const open = await OpenDisk.at(folder);
    giveBack(open, [...before, ...after.slice(0, 2)]);
    expect(open.held).toEqual({ [own]: 5, [peer]: 4 });
    await open.close();
    const again = await OpenDisk.at(folder);
    expect(again.held).toEqual({ [own]: 5, [peer]: 4 });
    expect(again.core.ledger.owes).toBe(false);
    await again.close();
  });

  test("[J5] also when more was damaged before it was all there", async () => {
    await using parent = await memoryFolder();
    const folder = join(parent.path, "1");
    const { before, after } = await fill(folder);
    damage(folder, "users.json");
    {
      const open = await OpenDisk.at(folder);
      giveBack(open, before.slice(0, 2));
      await open.close();
    }
    const second = damage(folder, "publications.json");
    const open = await OpenDisk.at(folder);
    expect(open.errors.join()).toContain(second);
    expect(readdirSync(join(folder, "damaged"))).toContain("journal-2");
    giveBack(open, before);
    expect(open.held).toEqual({ [own]: 5, [peer]: 4 });
    expect(after.at(-1)?.event).toMatchObject({ server: own, seq: 5 });
    await open.close();
  });
});

describe("a crash while a state is saved", () => {
  test("[J1] at any point leaves all there was", async () => {
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
        expect(open.core.ledger.owes).toBe(false);
        await open.close();
      },
    );
    expect(deaths).toBeGreaterThan(5);
  });

  test("[J1] [R8] that is to stand for a peer's too: nothing is taken for damage", async () => {
    await using parent = await memoryFolder();
    const original = join(parent.path, "original");
    await fill(original);
    // A peer's state that reaches further.
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
        expect(open.core.ledger.owes).toBe(false);
        open.disk.checkpointIfDue(open.core);
        await until(() => !existsSync(join(folder, "snapshot")), "it stands for both");
        await open.close();
        const left = readdirSync(folder).filter((name) => /snapshot/.test(name));
        expect(left).toEqual([]);
      },
    );
    expect(deaths).toBeGreaterThan(10);
  });

  test("what a fetch left that was broken off is removed at the next start", async () => {
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
