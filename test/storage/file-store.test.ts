import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { digest } from "../../src/platform/digest.ts";
import { Problem } from "../../src/platform/problem.ts";
import type { EventLine } from "../../src/protocol/event.ts";
import { checkpointFiles } from "../../src/storage/checkpoint.ts";
import { describeDamage } from "../../src/storage/damage.ts";
import { verifyFolder } from "../../src/storage/verify.ts";
import { EventMaker, serverName } from "../support/event-lines.ts";
import { flipped } from "../support/journal-files.ts";
import { damage, damageable, fill, journalFile, own, peer } from "../support/member-folder.ts";
import { makeMember, OpenDisk } from "../support/open-disk.ts";
import { memoryFolder } from "../support/temporary-folder.ts";

describe("a damaged folder", () => {
  test.each(damageable)(
    "[J5] a server with damage to %s names the place, notes the lost events, and moves the damaged file aside",
    async (name) => {
      await using parent = await memoryFolder();
      const folder = join(parent.path, "1");
      const { after } = await fill(folder);
      const place = damage(folder, name);
      const open = await OpenDisk.at(folder);
      expect(open.errors.join("\n")).toContain(place);
      expect(open.core.ledger.missesEvents).toBe(true);
      expect(open.disk.isDamaged).toBe(true);
      expect(open.disk.way).toContain(place);
      expect(existsSync(join(folder, "damaged", name))).toBe(true);
      const { owed } = JSON.parse(readFileSync(join(folder, "promises.json"), "utf8"));
      const last = after.at(-1) as EventLine;
      expect(owed).toMatchObject({ [own]: { seq: 5 }, [peer]: { seq: 4 } });
      expect(owed[own].chain === last.chain || /^0+$/.test(owed[own].chain)).toBe(true);
      // The server still has every event whose line is undamaged.
      expect(open.held).toEqual(name === journalFile ? { [own]: 5, [peer]: 3 } : {});
      await open.close();
      // The events stay missing until peers return them, even after another start.
      const again = await OpenDisk.at(folder);
      expect(again.errors).toEqual([]);
      expect(again.core.ledger.missesEvents).toBe(true);
      await again.close();
    },
  );

  test.each(damageable)(
    "[R7] after damage to %s, a server's clock is at least the clock noted in its journal",
    async (name) => {
      await using parent = await memoryFolder();
      const folder = join(parent.path, "1");
      await fill(folder);
      damage(folder, name);
      for (let start = 0; start < 2; start += 1) {
        const open = await OpenDisk.at(folder);
        expect(open.clock.value).toBeGreaterThanOrEqual(900);
        await open.close();
      }
    },
  );

  test.each(damageable)(
    "[J5] a cluster's only member does not start with damage to %s, but names file, line and what to do",
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
    "[J5] a cluster's only member starts with damage to %s if its journal has all events",
    async (name) => {
      await using parent = await memoryFolder();
      const folder = join(parent.path, "1");
      await fill(folder, { members: [own], keepsOlder: true });
      const place = damage(folder, name);
      for (const errors of [1, 0]) {
        const open = await OpenDisk.at(folder);
        expect(open.errors).toHaveLength(errors);
        if (errors > 0) expect(open.errors[0]).toContain(place);
        expect(open.core.ledger.missesEvents).toBe(false);
        expect(open.held).toEqual({ [own]: 5, [peer]: 4 });
        await open.close();
      }
    },
  );

  test("[R1] [J5] a server whose journal is missing does not start, because it could give two events the same number", async () => {
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

  test("[R1] [J5] a server whose journal is missing does not start, even if it never saved a state", async () => {
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

  test("[J2] a server replaces a damaged journal file that has no events", async () => {
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

  test("[J5] a server does not start if no journal header tells which events its damaged files had", async () => {
    await using parent = await memoryFolder();
    const folder = join(parent.path, "1");
    await fill(folder);
    damage(folder, "checkpoint.json");
    const path = join(folder, journalFile);
    writeFileSync(path, flipped(readFileSync(path), 20, 1));
    await expect(OpenDisk.at(folder)).rejects.toThrow("it can't be told what was lost");
  });

  test("[J5] once peers have returned all lost events, a server has no missing events and removes the damaged files", async () => {
    await using parent = await memoryFolder();
    const folder = join(parent.path, "1");
    const { after } = await fill(folder);
    damage(folder, journalFile);
    const open = await OpenDisk.at(folder);
    expect(open.disk.isMissing(after)).toBe(true);
    expect(open.disk.isMissing([new EventMaker().next(serverName(3))])).toBe(false);
    open.put(after);
    await open.disk.repaired();
    await open.close();
    expect(existsSync(join(folder, "damaged"))).toBe(false);
    const again = await OpenDisk.at(folder);
    expect(again.core.ledger.missesEvents).toBe(false);
    expect(again.held).toEqual({ [own]: 5, [peer]: 4 });
    await again.close();
  });
});

describe("lines after the damage in a journal", () => {
  /** Returns lines as a peer would. */
  function giveBack(open: OpenDisk, lines: readonly EventLine[]): void {
    for (const { line } of lines) open.core.ledger.receive(line);
    open.core.ledger.takeSalvaged();
    open.disk.append(open.core.ledger.takeAppended());
  }

  test("[J5] [R2] if no peer has the undamaged lines of a damaged journal, the server recovers the lines from that journal", async () => {
    await using parent = await memoryFolder();
    const folder = join(parent.path, "1");
    const { before, after } = await fill(folder);
    damage(folder, "users.json");
    {
      const open = await OpenDisk.at(folder);
      open.core.ledger.takeSalvaged();
      expect(open.held).toEqual({});
      await open.close();
    }
    // The peers return events only after the second start.
    const open = await OpenDisk.at(folder);
    giveBack(open, [...before, ...after.slice(0, 2)]);
    expect(open.held).toEqual({ [own]: 5, [peer]: 4 });
    await open.close();
    const again = await OpenDisk.at(folder);
    expect(again.held).toEqual({ [own]: 5, [peer]: 4 });
    expect(again.core.ledger.missesEvents).toBe(false);
    await again.close();
  });

  test("[J5] a server recovers undamaged lines from its damaged journal even if another file is damaged in the meantime", async () => {
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
