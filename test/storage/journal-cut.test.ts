import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { EventLine } from "../../src/protocol/event.ts";
import type { ServerName } from "../../src/protocol/ids.ts";
import type { Heads } from "../../src/protocol/mark.ts";
import type { Vector } from "../../src/protocol/vector.ts";
import { EventMaker, serverName } from "../support/event-lines.ts";
import { flipped, lineOf, plantFiles, readFiles, withFile } from "../support/journal-files.ts";
import { OpenJournal } from "../support/open-journal.ts";
import { memoryFolder } from "../support/temporary-folder.ts";

const [a, b, c] = [1, 2, 3].map(serverName) as [ServerName, ServerName, ServerName];

/** The last event of each server in a saved state of these lines. */
function headsAt(lines: readonly EventLine[]): Heads {
  return Object.fromEntries(
    lines.map(({ event, chain }) => [event.server, { seq: event.seq, chain }]),
  );
}

function vectorAt(lines: readonly EventLine[]): Vector {
  return Object.fromEntries(lines.map(({ event }) => [event.server, event.seq]));
}

function texts(lines: readonly EventLine[]): string[] {
  return lines.map(({ line }) => line);
}

/** Writes one batch for each list of servers. @returns all lines */
async function write(journal: OpenJournal, maker: EventMaker, batches: readonly ServerName[][]) {
  const lines: EventLine[] = [];
  for (const batch of batches) {
    const made = batch.map((server) => maker.next(server));
    lines.push(...made);
    await journal.write(made);
  }
  return lines;
}

/**
 * Reads all lines for a peer that has `since`. @returns undefined if the journal no longer has some
 * of them
 */
async function readAll(journal: OpenJournal, since: Vector, upTo: Vector) {
  const page = await journal.journal.read(since, upTo);
  expect(page?.more).not.toBe(true);
  return page?.lines;
}

describe("`cut`, which begins a new journal file", () => {
  test("[J1] a journal's `cut` syncs the lines appended before it; lines appended after it go into a new file", async () => {
    await using folder = await memoryFolder();
    await using journal = await OpenJournal.at(folder.path);
    const maker = new EventMaker();
    const before = maker.many(a, 30);
    const after = maker.many(b, 30);
    journal.append(before);
    const cut = journal.journal.cut();
    journal.append(after);
    await cut;
    expect(journal.flushes.reduce((sum, count) => sum + count, 0)).toBe(30);
    await journal.flushed();
    expect(readdirSync(folder.path)).toEqual(["00000001.jsonl", "00000002.jsonl"]);
    const [first, second] = [...readFiles(folder.path).values()].map((bytes) => bytes.toString());
    for (const { line } of before) expect(first).toContain(line);
    for (const { line } of after) expect(second).toContain(line);
    expect(JSON.parse(second?.split("\n")[0] as string).heads).toEqual(headsAt(before));
    expect(journal.journal.toReplay.events).toBe(60);
    await journal.journal.release();
    expect(journal.journal.toReplay.events).toBe(30);
  });

  test("[J1] after a journal's `cut` and a save of the state, a starting server reads only the lines after the `cut`", async () => {
    await using folder = await memoryFolder();
    const maker = new EventMaker();
    let before: EventLine[];
    let after: EventLine[];
    {
      await using journal = await OpenJournal.at(folder.path, { fileBytes: 500 });
      before = await write(journal, maker, [[a, b], [a], [c]]);
      await journal.journal.cut();
      after = await write(journal, maker, [[b], [a, c], [b]]);
      await journal.journal.release();
    }
    await using journal = await OpenJournal.at(folder.path, { held: headsAt(before) });
    expect(texts(journal.lines)).toEqual(texts(after));
    expect(journal.found).toMatchObject({ events: 4, damages: [], givenUp: [] });
    // Peers still get the older lines, through an index that is built when they ask.
    const all = [...before, ...after];
    expect(await readAll(journal, {}, vectorAt(all))).toEqual(texts(all));
    expect(await readAll(journal, { [a]: 1, [b]: 1 }, { [a]: 2, [b]: 2, [c]: 1 })).toEqual(
      texts(all.filter(({ event: { server, seq } }) => (server === c ? seq === 1 : seq === 2))),
    );
  });

  test("[J1] a crash between a journal's `cut` and the save of the state loses no line", async () => {
    await using folder = await memoryFolder();
    const path = join(folder.path, "journal");
    const maker = new EventMaker();
    const lines: EventLine[] = [];
    await using journal = await OpenJournal.at(path);
    lines.push(...(await write(journal, maker, [[a, b], [c]])));
    const saved = headsAt(lines);
    await journal.journal.cut();
    await journal.journal.release();
    lines.push(...(await write(journal, maker, [[a], [b, b]])));
    await journal.journal.cut();
    const cut = readFiles(path);
    lines.push(...(await write(journal, maker, [[c]])));
    // The state of the second cut was never saved, so a starting server loads the state of the
    // first cut.
    for (const [files, count] of [
      [cut, 3],
      [readFiles(path), 4],
    ] as const) {
      plantFiles(path, files);
      await using again = await OpenJournal.at(path, { held: saved });
      expect(again.found.damages).toEqual([]);
      expect(texts(again.lines)).toEqual(texts(lines.slice(3, 3 + count)));
      expect(again.journal.toReplay.events).toBe(count);
    }
  });

  test("[J1] two calls of a journal's `cut` without a line between them lose no line", async () => {
    await using folder = await memoryFolder();
    const maker = new EventMaker();
    let lines: EventLine[];
    {
      await using journal = await OpenJournal.at(folder.path);
      lines = await write(journal, maker, [[a], [b]]);
      await journal.journal.cut();
      await journal.journal.cut();
      lines.push(...(await write(journal, maker, [[a]])));
    }
    for (const held of [{}, headsAt(lines.slice(0, 2)), headsAt(lines)]) {
      await using journal = await OpenJournal.at(folder.path, { held });
      expect(journal.found.damages).toEqual([]);
      expect(await readAll(journal, {}, vectorAt(lines))).toEqual(texts(lines));
    }
  });
});

describe("older journal files", () => {
  test("[J1] a journal keeps at most `keptBytes` of files that no start needs; a peer that needs removed lines gets no page", async () => {
    await using folder = await memoryFolder();
    const maker = new EventMaker();
    const sizes = { fileBytes: 600, keptBytes: 2_000 };
    const lines: EventLine[] = [];
    {
      await using journal = await OpenJournal.at(folder.path, sizes);
      for (let round = 0; round < 6; round += 1) {
        lines.push(...(await write(journal, maker, [[a, b], [c], [a]])));
        await journal.journal.cut();
        await journal.journal.release();
        const names = readdirSync(folder.path).sort();
        const older = names.slice(0, -1).map((name) => readFiles(folder.path).get(name)?.length);
        const kept = older.reduce<number>((sum, bytes) => sum + (bytes ?? 0), 0);
        expect(kept, `round ${round}`).toBeLessThanOrEqual(2_000);
        if (round > 1) expect(kept + 1_200, `round ${round}`).toBeGreaterThan(2_000);
      }
      await expectExact(journal);
    }
    expect(existsSync(join(folder.path, "00000001.jsonl"))).toBe(false);
    await using journal = await OpenJournal.at(folder.path, { ...sizes, held: headsAt(lines) });
    expect(journal.found).toMatchObject({ damages: [], givenUp: [], events: 0 });
    await expectExact(journal);

    /**
     * For random vectors: expects exactly the lines between them, or undefined if some of these
     * lines are removed.
     */
    async function expectExact(open: OpenJournal): Promise<void> {
      const first = lines.length - readKept().length;
      const gone = vectorAt(lines.slice(0, first));
      const anyVector = fc.record({ [a]: fc.nat(12), [b]: fc.nat(6), [c]: fc.nat(6) });
      let compacted = 0;
      await fc.assert(
        fc.asyncProperty(anyVector, anyVector, async (since, upTo) => {
          const wanted = lines.filter(({ event: { server, seq } }) => {
            return seq > (since[server] ?? 0) && seq <= (upTo[server] ?? 0);
          });
          const isGone = wanted.some(({ event }) => event.seq <= (gone[event.server] ?? 0));
          if (isGone) compacted += 1;
          const found = await readAll(open, since, upTo);
          expect(found).toEqual(isGone ? undefined : texts(wanted));
        }),
        { numRuns: 200 },
      );
      expect(compacted).toBeGreaterThan(0);
    }

    function readKept(): string[] {
      const text = [...readFiles(folder.path).values()].map(String).join("");
      return text.split("\n").filter((line) => line.startsWith('{"event"'));
    }
  });

  test("[R8] if a journal removes older files during a read, the page is shorter and says that more lines follow", async () => {
    await using folder = await memoryFolder();
    await using journal = await OpenJournal.at(folder.path, { fileBytes: 100, keptBytes: 0 });
    const maker = new EventMaker();
    const lines = await write(journal, maker, [[a], [b], [a], [b], [c]]);
    await journal.journal.cut();
    const reading = journal.journal.read({}, vectorAt(lines));
    await journal.journal.release();
    const page = await reading;
    expect(page?.more).toBe(true);
    // One older file is kept, so the page may go on with the lines of another server.
    const sent = lines.filter(({ line }) => page?.lines.includes(line));
    expect(page?.lines).toEqual(texts(sent));
    for (const server of [a, b, c]) {
      const seqs = sent.flatMap(({ event }) => (event.server === server ? [event.seq] : []));
      expect(seqs).toEqual(seqs.map((_, index) => index + 1));
    }
    // The peer asks for more, and learns that only the saved state has the rest.
    const next = vectorAt(sent);
    expect(await journal.journal.read(next, vectorAt(lines))).toBe(undefined);
  });

  /**
   * Four sealed files with one batch each, and the last file. Only the last file has lines after
   * the saved state.
   */
  async function sealed(path: string) {
    const maker = new EventMaker();
    await using journal = await OpenJournal.at(path, { fileBytes: 100 });
    const before = await write(journal, maker, [[a, b], [c], [a], [b]]);
    await journal.journal.cut();
    const after = await write(journal, maker, [[c, a]]);
    return { files: readFiles(path), before, after };
  }

  test("[J5] if an older journal file has a changed byte, a starting server names that file, and removes that file and all earlier files", async () => {
    await using folder = await memoryFolder();
    const path = join(folder.path, "journal");
    const { files, before, after } = await sealed(path);
    const upTo = vectorAt([...before, ...after]);
    for (const [index, name] of [...files.keys()].slice(0, 4).entries()) {
      const bytes = files.get(name) as Buffer;
      for (let at = 0; at < bytes.length; at += 3) {
        plantFiles(path, withFile(files, name, flipped(bytes, at, 1 << (at % 8))));
        await using journal = await OpenJournal.at(path, { held: headsAt(before) });
        const { damages, givenUp } = journal.found;
        expect(damages, `${name} ${at}`).toEqual([]);
        const place = { path: join(path, name), line: lineOf(bytes, at) };
        expect(givenUp, `${name} ${at}`).toMatchObject([place]);
        expect(texts(journal.lines)).toEqual(texts(after));
        const left = texts([...before.slice([2, 3, 4, 5][index]), ...after]);
        expect(await readAll(journal, {}, upTo)).toBe(undefined);
        const since = vectorAt(before.slice(0, [2, 3, 4, 5][index]));
        expect(await readAll(journal, since, upTo)).toEqual(left);
        expect(readdirSync(path)).toEqual([...files.keys()].slice(index + 1));
      }
    }
  }, 60_000);

  test("[J5] if an older journal file is missing, peers get lines only from the files after it", async () => {
    await using folder = await memoryFolder();
    const path = join(folder.path, "journal");
    const { files, before, after } = await sealed(path);
    plantFiles(path, withFile(files, "00000002.jsonl", undefined));
    await using journal = await OpenJournal.at(path, { held: headsAt(before) });
    expect(journal.found.damages).toEqual([]);
    expect(journal.found.givenUp).toHaveLength(1);
    const upTo = vectorAt([...before, ...after]);
    expect(await readAll(journal, {}, upTo)).toBe(undefined);
    expect(await readAll(journal, vectorAt(before.slice(0, 3)), upTo)).toEqual(
      texts([...before.slice(3), ...after]),
    );
  });
});

describe("the journal after a peer's saved state", () => {
  test("[R8] after a server loads a peer's saved state, its journal begins a new file, which a restart reads without damage", async () => {
    await using folder = await memoryFolder();
    const maker = new EventMaker();
    let own: EventLine[];
    {
      await using journal = await OpenJournal.at(folder.path);
      own = await write(journal, maker, [[a], [b]]);
    }
    const fetched = [...own, ...maker.many(c, 5), ...maker.many(b, 3)];
    let after: EventLine[];
    {
      await using journal = await OpenJournal.at(folder.path, { held: headsAt(fetched) });
      expect(journal.found.damages).toEqual([]);
      after = await write(journal, maker, [[b], [c]]);
      expect(await readAll(journal, vectorAt(own), vectorAt(after))).toBe(undefined);
      const upTo = vectorAt([...fetched, ...after]);
      expect(await readAll(journal, vectorAt(fetched), upTo)).toEqual(texts(after));
    }
    for (let restart = 0; restart < 2; restart += 1) {
      await using journal = await OpenJournal.at(folder.path, { held: headsAt(fetched) });
      expect(journal.found.damages).toEqual([]);
      expect(texts(journal.lines)).toEqual(texts(after));
    }
    // Without the peer's state the journal has a gap, and reports which events are missing.
    await using journal = await OpenJournal.at(folder.path, { held: headsAt(own) });
    expect(journal.found.damages[0]).toMatchObject({ line: 1 });
    expect(journal.found.known).toMatchObject(headsAt([...fetched, ...after]));
  });

  test("[R8] a server that loads a peer's saved state also reads the lines of its own journal that the state lacks", async () => {
    await using folder = await memoryFolder();
    const maker = new EventMaker();
    let own: EventLine[];
    {
      await using journal = await OpenJournal.at(folder.path);
      own = await write(journal, maker, [[a, b], [a], [b]]);
    }
    // The peer's state has all events of c, but only the first ones of a and b.
    const fetched = [...own.slice(0, 2), ...maker.many(c, 5)];
    let more: EventLine[];
    {
      await using journal = await OpenJournal.at(folder.path, { held: headsAt(fetched) });
      expect(journal.found.damages).toEqual([]);
      expect(texts(journal.lines)).toEqual(texts(own.slice(2)));
      more = await write(journal, maker, [[a], [c]]);
      const upTo = vectorAt([...fetched, ...own, ...more]);
      const since = vectorAt([...fetched, ...own]);
      expect(await readAll(journal, since, upTo)).toEqual(texts(more));
    }
    // The process died before it saved a state with the peer's and its own events.
    await using journal = await OpenJournal.at(folder.path, { held: headsAt(fetched) });
    expect(journal.found.damages).toEqual([]);
    expect(texts(journal.lines)).toEqual(texts([...own.slice(2), ...more]));
  });
});
