import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { EventLine } from "../../src/protocol/event.ts";
import type { ServerName } from "../../src/protocol/ids.ts";
import type { MutableVector, Vector } from "../../src/protocol/vector.ts";
import { EventMaker, serverName } from "../support/event-lines.ts";
import { OpenJournal } from "../support/open-journal.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const [a, b, c] = [1, 2, 3].map(serverName) as [ServerName, ServerName, ServerName];

function texts(lines: readonly EventLine[]): string[] {
  return lines.map(({ line }) => line);
}

/** Lines of three servers in turn, `count` of each. */
function mixed(count: number): EventLine[] {
  const maker = new EventMaker();
  return Array.from({ length: count }, () => [maker.next(b), maker.next(a), maker.next(c)]).flat();
}

describe("a journal", () => {
  test("[R1] a journal gives back all lines in order after a restart", async () => {
    await using folder = await temporaryFolder();
    const lines = mixed(10);
    {
      await using journal = await OpenJournal.at(folder.path);
      expect(journal.found).toMatchObject({ clock: 0, events: 0, cutBytes: 0 });
      await journal.write(lines.slice(0, 12));
      await journal.write(lines.slice(12));
    }
    for (let restart = 0; restart < 2; restart += 1) {
      await using journal = await OpenJournal.at(folder.path);
      expect(texts(journal.lines)).toEqual(texts(lines));
      expect(journal.found).toMatchObject({ events: 30, cutBytes: 0 });
    }
  });

  test("[R7] a starting server reads the highest clock that its journal noted", async () => {
    await using folder = await temporaryFolder();
    const maker = new EventMaker();
    {
      await using journal = await OpenJournal.at(folder.path);
      for (const clock of [5, 900, 901]) {
        journal.clock = clock;
        await journal.write([maker.next(a)]);
      }
    }
    await using journal = await OpenJournal.at(folder.path);
    expect(journal.found.clock).toBe(901);
  });

  test("[R1] a journal continues in the same file after a restart, and begins a new file when the last one is full", async () => {
    await using folder = await temporaryFolder();
    const maker = new EventMaker();
    const written: EventLine[] = [];
    for (let restart = 0; restart < 4; restart += 1) {
      await using journal = await OpenJournal.at(folder.path, { fileBytes: 1_500 });
      expect(texts(journal.lines)).toEqual(texts(written));
      for (let batch = 0; batch < 4; batch += 1) {
        const lines = maker.many(a, 2);
        written.push(...lines);
        await journal.write(lines);
      }
    }
    const names = (await readdir(folder.path)).sort();
    expect(names.length).toBeGreaterThan(3);
    expect(names).toEqual(names.map((_, index) => `${String(index + 1).padStart(8, "0")}.jsonl`));
  });

  test("a journal is closed only once all appended lines are on disk", async () => {
    await using folder = await temporaryFolder();
    const lines = mixed(100);
    const journal = await OpenJournal.at(folder.path);
    journal.append(lines);
    await journal.journal.close();
    await using again = await OpenJournal.at(folder.path);
    expect(texts(again.lines)).toEqual(texts(lines));
  });

  test("each line of a journal file is one JSON value", async () => {
    await using folder = await temporaryFolder();
    await using journal = await OpenJournal.at(folder.path);
    await journal.write(mixed(1));
    const text = await readFile(join(folder.path, "00000001.jsonl"), "utf8");
    const values = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(values[0]).toMatchObject({ heads: {}, clock: 0 });
    expect(values[1]).toMatchObject({ synced: text.indexOf("\n") + 1, clock: 0 });
    expect(values[2]).toMatchObject({ event: { server: b, seq: 1, operation: "publication" } });
  });
});

describe("reading from a journal", () => {
  async function readAll(journal: OpenJournal, since: Vector, upTo: Vector): Promise<string[][]> {
    const pages: string[][] = [];
    const reached: MutableVector = { ...since };
    for (;;) {
      const page = await journal.journal.read(reached, upTo);
      if (page === undefined) throw new Error("it was compacted");
      const { lines, more } = page;
      pages.push(lines);
      for (const line of lines) {
        const { server, seq } = JSON.parse(line).event as EventLine["event"];
        // Each server's lines must be in order and without a gap (R1).
        expect(seq).toBe((reached[server] ?? 0) + 1);
        reached[server] = seq;
      }
      if (!more) return pages;
      expect(lines.length).toBeGreaterThan(0);
    }
  }

  test("[R8] a journal of many files gives pages of at most 1,000 lines, even after a restart", async () => {
    await using folder = await temporaryFolder();
    const lines = mixed(800);
    {
      await using journal = await OpenJournal.at(folder.path, { fileBytes: 20_000 });
      for (let at = 0; at < lines.length; at += 100) await journal.write(lines.slice(at, at + 100));
      const pages = await readAll(journal, {}, { [a]: 800, [b]: 800, [c]: 800 });
      expect(pages.map(({ length }) => length)).toEqual([1_000, 1_000, 400]);
      expect(pages.flat()).toEqual(texts(lines));
    }
    expect((await readdir(folder.path)).length).toBeGreaterThan(10);
    await using journal = await OpenJournal.at(folder.path, { fileBytes: 20_000 });
    const pages = await readAll(journal, { [a]: 700 }, { [a]: 750, [b]: 10 });
    expect(pages.flat()).toHaveLength(60);
  });

  test("[R8] a journal ends a page of long lines at about one megabyte", async () => {
    await using folder = await temporaryFolder();
    await using journal = await OpenJournal.at(folder.path);
    const lines = new EventMaker().many(a, 300, "x".repeat(4_000));
    await journal.write(lines);
    const pages = await readAll(journal, {}, { [a]: 300 });
    expect(pages.flat()).toEqual(texts(lines));
    expect(pages.length).toBeGreaterThan(1);
    for (const page of pages) expect(page.join("\n").length).toBeLessThan(1_100_000);
  });

  test("[R8] a journal gives exactly the lines above `since` and up to `upTo`", async () => {
    await using folder = await temporaryFolder();
    await using journal = await OpenJournal.at(folder.path, { fileBytes: 4_000 });
    const lines = mixed(30);
    for (let at = 0; at < lines.length; at += 9) await journal.write(lines.slice(at, at + 9));
    const anyVector = fc.record({ [a]: fc.nat(30), [b]: fc.nat(30), [c]: fc.nat(30) });
    await fc.assert(
      fc.asyncProperty(anyVector, anyVector, async (since, upTo) => {
        const wanted = lines.filter(({ event: { server, seq } }) => {
          return seq > (since[server] ?? 0) && seq <= (upTo[server] ?? 0);
        });
        const found = (await readAll(journal, since, upTo)).flat();
        expect(found.toSorted()).toEqual(texts(wanted).toSorted());
      }),
      { numRuns: 60 },
    );
  });

  test("[R8] a journal gives an empty page if it has no lines above `since` and up to `upTo`", async () => {
    await using folder = await temporaryFolder();
    await using journal = await OpenJournal.at(folder.path);
    expect(await journal.journal.read({}, {})).toEqual({ lines: [], more: false });
    await journal.write(mixed(1));
    expect(await journal.journal.read({ [a]: 1 }, { [a]: 1 })).toEqual({ lines: [], more: false });
  });
});
