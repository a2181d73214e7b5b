import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Problem } from "../../src/platform/problem.ts";
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

/** Lines of three servers as they might come, `count` of each. */
function mixed(count: number): EventLine[] {
  const maker = new EventMaker();
  return Array.from({ length: count }, () => [maker.next(b), maker.next(a), maker.next(c)]).flat();
}

describe("a journal", () => {
  test("[R1] gives back after a restart what was written, in order", async () => {
    await using folder = await temporaryFolder();
    const lines = mixed(10);
    {
      await using journal = new OpenJournal(folder.path);
      expect(journal.recovered).toEqual({ clock: 0, events: 0, cutBytes: 0 });
      await journal.write(lines.slice(0, 12));
      await journal.write(lines.slice(12));
    }
    for (let restart = 0; restart < 2; restart += 1) {
      await using journal = new OpenJournal(folder.path);
      expect(texts(journal.lines)).toEqual(texts(lines));
      expect(journal.recovered).toMatchObject({ events: 30, cutBytes: 0 });
    }
  });

  test("[R7] keeps the highest clock that was noted", async () => {
    await using folder = await temporaryFolder();
    const maker = new EventMaker();
    {
      await using journal = new OpenJournal(folder.path);
      for (const clock of [5, 900, 901]) {
        journal.clock = clock;
        await journal.write([maker.next(a)]);
      }
    }
    await using journal = new OpenJournal(folder.path);
    expect(journal.recovered.clock).toBe(901);
  });

  test("[R1] goes on in the same file after a restart, and begins a new one when it is full", async () => {
    await using folder = await temporaryFolder();
    const maker = new EventMaker();
    const written: EventLine[] = [];
    for (let restart = 0; restart < 4; restart += 1) {
      await using journal = new OpenJournal(folder.path, 1_500);
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

  test("closes only when all is on disk", async () => {
    await using folder = await temporaryFolder();
    const lines = mixed(100);
    const journal = new OpenJournal(folder.path);
    journal.append(lines);
    await journal.journal.close();
    await using again = new OpenJournal(folder.path);
    expect(texts(again.lines)).toEqual(texts(lines));
  });

  test("is one JSON value a line, readable with jq", async () => {
    await using folder = await temporaryFolder();
    await using journal = new OpenJournal(folder.path);
    await journal.write(mixed(1));
    const text = await readFile(join(folder.path, "00000001.jsonl"), "utf8");
    const values = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(values[0]).toMatchObject({ synced: 0, clock: 0 });
    expect(values[1]).toMatchObject({ event: { server: b, seq: 1, operation: "publication" } });
  });
});

describe("reading", () => {
  async function readAll(journal: OpenJournal, since: Vector, upTo: Vector): Promise<string[][]> {
    const pages: string[][] = [];
    const reached: MutableVector = { ...since };
    for (;;) {
      const { lines, more } = await journal.journal.read(reached, upTo);
      pages.push(lines);
      for (const line of lines) {
        const { server, seq } = JSON.parse(line).event as EventLine["event"];
        // Each server's in order, and not one left out (R1).
        expect(seq).toBe((reached[server] ?? 0) + 1);
        reached[server] = seq;
      }
      if (!more) return pages;
      expect(lines.length).toBeGreaterThan(0);
    }
  }

  test("[R8] gives pages of 1,000 at most, over many files, also after a restart", async () => {
    await using folder = await temporaryFolder();
    const lines = mixed(800);
    {
      await using journal = new OpenJournal(folder.path, 20_000);
      for (let at = 0; at < lines.length; at += 100) await journal.write(lines.slice(at, at + 100));
      const pages = await readAll(journal, {}, { [a]: 800, [b]: 800, [c]: 800 });
      expect(pages.map(({ length }) => length)).toEqual([1_000, 1_000, 400]);
      expect(pages.flat()).toEqual(texts(lines));
    }
    expect((await readdir(folder.path)).length).toBeGreaterThan(10);
    await using journal = new OpenJournal(folder.path, 20_000);
    const pages = await readAll(journal, { [a]: 700 }, { [a]: 750, [b]: 10 });
    expect(pages.flat()).toHaveLength(60);
  });

  test("[R8] a page of long lines ends at about a megabyte", async () => {
    await using folder = await temporaryFolder();
    await using journal = new OpenJournal(folder.path);
    const lines = new EventMaker().many(a, 300, "x".repeat(4_000));
    await journal.write(lines);
    const pages = await readAll(journal, {}, { [a]: 300 });
    expect(pages.flat()).toEqual(texts(lines));
    expect(pages.length).toBeGreaterThan(1);
    for (const page of pages) expect(page.join("\n").length).toBeLessThan(1_100_000);
  });

  test("[R8] gives exactly what is above since and up to upTo", async () => {
    await using folder = await temporaryFolder();
    await using journal = new OpenJournal(folder.path, 4_000);
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

  test("[R8] nothing to give is an empty page", async () => {
    await using folder = await temporaryFolder();
    await using journal = new OpenJournal(folder.path);
    expect(await journal.journal.read({}, {})).toEqual({ lines: [], more: false });
    await journal.write(mixed(1));
    expect(await journal.journal.read({ [a]: 1 }, { [a]: 1 })).toEqual({ lines: [], more: false });
  });
});

describe("damage", () => {
  /** Two batches in one file: the second one's note tells that the first was synced. */
  async function twoBatches() {
    await using folder = await temporaryFolder();
    const maker = new EventMaker();
    const lines = [...maker.many(a, 2, "1"), maker.next(b, "2"), ...maker.many(a, 2, "3")];
    await using journal = new OpenJournal(folder.path);
    await journal.write(lines.slice(0, 3));
    const synced = journal.journal.bytes;
    await journal.write(lines.slice(3));
    // As a crash would leave it: closing notes the last sync too.
    const bytes = await readFile(join(folder.path, "00000001.jsonl"));
    return { bytes, synced, lines, maker };
  }

  /** A journal folder with one file. */
  async function folderWith(parent: string, name: string, bytes: Uint8Array): Promise<string> {
    const folder = join(parent, name);
    await mkdir(folder);
    await writeFile(join(folder, "00000001.jsonl"), bytes);
    return folder;
  }

  test("[J2] a tail torn at any byte is cut off; what was noted as synced stays", async () => {
    await using parent = await temporaryFolder();
    const { bytes, synced, lines } = await twoBatches();
    for (let end = synced; end < bytes.length; end += 1) {
      const folder = await folderWith(parent.path, `${end}`, bytes.subarray(0, end));
      await using journal = new OpenJournal(folder);
      const kept = journal.lines.length;
      expect(kept).toBeGreaterThanOrEqual(3);
      expect(texts(journal.lines)).toEqual(texts(lines.slice(0, kept)));
      const { length } = await readFile(join(folder, "00000001.jsonl"));
      expect(journal.recovered.cutBytes).toBe(end - length);
    }
  });

  test("[J2] a tail with zeros in it, as a power cut leaves, is cut off from there", async () => {
    await using parent = await temporaryFolder();
    const { bytes, synced, lines } = await twoBatches();
    for (let at = synced; at < bytes.length; at += 17) {
      const torn = Buffer.from(bytes).fill(0, at, Math.min(at + 40, bytes.length));
      await using journal = new OpenJournal(await folderWith(parent.path, `${at}`, torn));
      expect(texts(journal.lines)).toEqual(texts(lines.slice(0, journal.lines.length)));
      expect(journal.lines.length).toBeGreaterThanOrEqual(3);
      expect(journal.recovered.cutBytes).toBeGreaterThan(0);
    }
  });

  test("[J2] after the cut it is written on, and the next restart finds all of it", async () => {
    await using parent = await temporaryFolder();
    const { bytes, lines } = await twoBatches();
    const folder = await folderWith(parent.path, "torn", bytes.subarray(0, -5));
    const last = lines.at(-1) as EventLine;
    {
      await using journal = new OpenJournal(folder);
      expect(journal.recovered.cutBytes).toBeGreaterThan(0);
      await journal.write([last]);
      expect(await journal.journal.read({}, { [a]: 4, [b]: 1 })).toMatchObject({ more: false });
    }
    await using journal = new OpenJournal(folder);
    expect(texts(journal.lines)).toEqual(texts(lines));
    expect(journal.recovered.cutBytes).toBe(0);
  });

  test("[J2] any byte changed before the last noted sync is refused, by file and line", async () => {
    await using parent = await temporaryFolder();
    const { bytes, synced } = await twoBatches();
    const accepted: number[] = [];
    for (let at = 0; at < synced; at += 1) {
      const rotten = Buffer.from(bytes);
      rotten[at] = (rotten[at] ?? 0) ^ 0x01;
      const folder = await folderWith(parent.path, `${at}`, rotten);
      const line = bytes.subarray(0, at).toString().split("\n").length;
      const place = `${join(folder, "00000001.jsonl")}:${line} `;
      try {
        await new OpenJournal(folder)[Symbol.asyncDispose]();
        accepted.push(at);
      } catch (error) {
        expect(error).toBeInstanceOf(Problem);
        expect((error as Problem).message).toContain(place);
      }
    }
    expect(accepted, `bytes of ${synced} whose change was taken for a torn tail`).toEqual([]);
  });

  test("[J2] after a clean stop any byte changed is refused: nothing can be torn", async () => {
    await using parent = await temporaryFolder();
    const folder = join(parent.path, "clean");
    {
      await using journal = new OpenJournal(folder);
      await journal.write(new EventMaker().many(a, 2, "1"));
    }
    const bytes = await readFile(join(folder, "00000001.jsonl"));
    const events = bytes.lastIndexOf('{"synced":');
    for (let at = 0; at < events - 1; at += 7) {
      const rotten = Buffer.from(bytes);
      rotten[at] = (rotten[at] ?? 0) ^ 0x01;
      const damaged = await folderWith(parent.path, `${at}`, rotten);
      expect(() => new OpenJournal(damaged), `byte ${at}`).toThrow(Problem);
    }
  });

  test("[J2] any damage in a file that is not the last is refused, by file and line", async () => {
    await using folder = await temporaryFolder();
    const lines = mixed(20);
    {
      await using journal = new OpenJournal(folder.path, 2_000);
      for (let at = 0; at < lines.length; at += 4) await journal.write(lines.slice(at, at + 4));
    }
    const path = join(folder.path, "00000002.jsonl");
    const bytes = await readFile(path);
    await writeFile(path, bytes.subarray(0, -1));
    expect(() => new OpenJournal(folder.path)).toThrow(`${path}:`);
    await writeFile(path, Buffer.from(bytes).fill(0x20, bytes.length - 30, bytes.length - 25));
    expect(() => new OpenJournal(folder.path)).toThrow(Problem);
    await writeFile(path, bytes);
    await new OpenJournal(folder.path)[Symbol.asyncDispose]();
  });

  test("[R1] [J2] a line that is missing is refused, although each that is there is whole", async () => {
    await using parent = await temporaryFolder();
    const { bytes } = await twoBatches();
    const lines = bytes.toString().split("\n");
    lines.splice(1, 1);
    const folder = await folderWith(parent.path, "gap", Buffer.from(lines.join("\n")));
    expect(() => new OpenJournal(folder)).toThrow(/goes from 0 to 2/);
  });

  test("[J5] a line of another history is refused by its chain", async () => {
    await using parent = await temporaryFolder();
    const { bytes } = await twoBatches();
    const lines = bytes.toString().split("\n");
    const other = new EventMaker();
    other.next(a, "another first");
    lines[2] = other.next(a, "1").line;
    const folder = await folderWith(parent.path, "forged", Buffer.from(lines.join("\n")));
    expect(() => new OpenJournal(folder)).toThrow(/chain of .* breaks at 2/);
  });
});
