import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import type { EventLine } from "../../src/protocol/event.ts";
import type { ServerName } from "../../src/protocol/ids.ts";
import { EventMaker, serverName } from "../support/event-lines.ts";
import { flipped, lineOf, plantFiles, readFiles, withFile } from "../support/journal-files.ts";
import {
  complaint,
  expectNamed,
  isTrue,
  killedAfter,
  type Opened,
  openFiles,
  type Written,
} from "../support/killed-journal.ts";
import { OpenJournal } from "../support/open-journal.ts";
import { memoryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";

// Some of the server names differ by one bit, so that a flipped bit may turn one name into another.
const [a, b, c] = [1, 2, 3].map(serverName) as [ServerName, ServerName, ServerName];

/**
 * The masks that damage a byte: one flips a bit, and sometimes a second one makes the byte a
 * newline.
 */
function masksAt(at: number, byte: number): number[] {
  return [1 << (at % 8), at % 5 === 0 ? byte ^ 0x0a : 0].filter((mask) => mask !== 0);
}

/** The last whole line that is on disk at this moment. */
function lastLineOf(path: string): string {
  return [...readFiles(path).values()].at(-1)?.toString().split("\n").at(-2) ?? "";
}

/**
 * Returns why damage after the last sync note was not cut off as a torn tail; undefined if it was.
 */
function tailComplaint({ found, given }: Opened, { synced }: Written): string | undefined {
  if (found.damages[0] !== undefined) return `line ${found.damages[0].line} is taken for rot`;
  if (found.cutBytes === 0) return "nothing is cut off";
  return given.length < synced ? "what was noted is cut off" : undefined;
}

const layouts: readonly [string, readonly (readonly ServerName[])[], number][] = [
  ["three servers in two files", [[a, b], [c, a], [b, b], [a]], 900],
  ["a batch with two events of one server", [[b], [a, a], [b]], 10_000],
  ["a server with a single event", [[a], [c, b, b], [a]], 10_000],
  [
    "one batch in the last file",
    [
      [a, b],
      [c, b],
    ],
    100,
  ],
];

describe.each(layouts)("the journal of a killed server: %s", (_, batches, fileBytes) => {
  test("[J2] a journal cut short at any byte after the last sync note still gives all lines that the note covers", async () => {
    await using folder = await memoryFolder();
    const written = await killedAfter(batches, fileBytes);
    const [name, bytes] = [...written.files].at(-1) as [string, Buffer];
    for (let end = written.syncedBytes; end <= bytes.length; end += 1) {
      const torn = withFile(written.files, name, bytes.subarray(0, end));
      const opened = await openFiles(join(folder.path, "journal"), torn);
      const texts = opened.given.map(({ line }) => line);
      expect(opened.found.damages, `${end}`).toEqual([]);
      expect(texts.length, `${end}`).toBeGreaterThanOrEqual(written.synced);
      expect(texts).toEqual(written.lines.slice(0, texts.length).map(({ line }) => line));
    }
  });

  test("[J2] [J5] after a change of any byte, a starting server names the rot and the lost events, or cuts off a torn tail", async () => {
    await using folder = await memoryFolder();
    const path = join(folder.path, "journal");
    const written = await killedAfter(batches, fileBytes);
    const names = [...written.files.keys()];
    const complaints: string[] = [];
    for (const [name, bytes] of written.files) {
      const synced = name === names.at(-1) ? written.syncedBytes : bytes.length;
      for (const [at, byte] of bytes.entries()) {
        for (const mask of masksAt(at, byte)) {
          const opened = await openFiles(
            path,
            withFile(written.files, name, flipped(bytes, at, mask)),
          );
          const place = `${join(path, name)}:${lineOf(bytes, at)}`;
          const why =
            at < synced ? complaint(opened, written, place) : tailComplaint(opened, written);
          if (why !== undefined) complaints.push(`byte ${at} by ${mask}: ${why}`);
          if (!isTrue(opened, written)) complaints.push(`byte ${at} by ${mask}: taken for true`);
        }
      }
    }
    expect(complaints.slice(0, 10)).toEqual([]);
  }, 60_000);
});

describe("the files of a journal", () => {
  const batches = [
    [a, b],
    [c, a],
    [b, b],
    [a, c],
    [c, b],
  ];

  /** Five files, one for each batch, as a killed process leaves them. */
  async function sealed() {
    const written = await killedAfter(batches, 100);
    expect([...written.files.keys()]).toHaveLength(5);
    return written;
  }

  test("[J2] if a journal file that is not the last is cut short at any byte, a starting server names that file", async () => {
    await using folder = await memoryFolder();
    const path = join(folder.path, "journal");
    const written = await sealed();
    const name = "00000003.jsonl";
    const bytes = written.files.get(name) as Buffer;
    for (let end = 0; end < bytes.length; end += 1) {
      const rotten = withFile(written.files, name, bytes.subarray(0, end));
      const opened = await openFiles(path, rotten);
      expectNamed(opened, written, `${join(path, name)}:${lineOf(bytes, Math.max(0, end - 1))}`);
    }
  });

  test("[J2] [J5] if a journal file is missing, a starting server reports the damage at the beginning of the next file", async () => {
    await using folder = await memoryFolder();
    const path = join(folder.path, "journal");
    const written = await sealed();
    const names = [...written.files.keys()];
    for (const [at, name] of names.slice(0, -1).entries()) {
      const opened = await openFiles(path, withFile(written.files, name, undefined));
      expectNamed(opened, written, `${join(path, names[at + 1] as string)}:1`);
      expect(opened.found.isLossUnknown).toBe(false);
      expect(opened.found.damages[0]?.why).toMatch(/^server_.* is at . here, and was at . before$/);
    }
  });

  test("[J2] [J5] if two successive journal files are damaged, a starting server reports that it can't know all lost events", async () => {
    await using folder = await memoryFolder();
    const path = join(folder.path, "journal");
    const written = await sealed();
    const rotten = (name: string, at: number) => flipped(written.files.get(name) as Buffer, at, 1);
    const first = withFile(written.files, "00000003.jsonl", rotten("00000003.jsonl", 500));
    const both = withFile(first, "00000004.jsonl", rotten("00000004.jsonl", 20));
    const { found } = await openFiles(path, both);
    expect(found.damages.map(({ line }) => line)).toEqual([3, 1]);
    expect(found.isLossUnknown).toBe(true);
  });

  test("[J2] a starting server removes the torn beginning of a new journal file, and uses the file's name again", async () => {
    await using folder = await memoryFolder();
    const path = join(folder.path, "journal");
    const written = await sealed();
    const name = "00000006.jsonl";
    const header = '{"heads":{"server_00000001":{"seq":2,"chain":"';
    for (let end = 0; end < header.length; end += 9) {
      const torn = withFile(written.files, name, Buffer.from(header.slice(0, end)));
      plantFiles(path, torn);
      const more = new EventMaker().next(serverName(9));
      {
        await using journal = await OpenJournal.at(path);
        expect(journal.found).toMatchObject({ damages: [], cutBytes: end, events: 10 });
        await journal.write([more]);
      }
      await using journal = await OpenJournal.at(path);
      expect(journal.found).toMatchObject({ damages: [], cutBytes: 0, events: 11 });
      expect([...readFiles(path).keys()].at(-1)).toBe(name);
    }
  });

  test("[J2] a journal continues where its torn tail was cut off, and the next process reads all lines", async () => {
    await using folder = await memoryFolder();
    const path = join(folder.path, "journal");
    const { files, lines } = await killedAfter([[a, b], [a], [b]], 10_000);
    const [name, bytes] = [...files][0] as [string, Buffer];
    plantFiles(path, withFile(files, name, bytes.subarray(0, -5)));
    const last = lines.at(-1) as EventLine;
    {
      await using journal = await OpenJournal.at(path);
      expect(journal.found.cutBytes).toBeGreaterThan(0);
      await journal.write([last]);
      expect(await journal.journal.read({}, { [a]: 2, [b]: 2 })).toMatchObject({ more: false });
    }
    await using journal = await OpenJournal.at(path);
    expect(journal.lines.map(({ line }) => line)).toEqual(lines.map(({ line }) => line));
    expect(journal.found.cutBytes).toBe(0);
  });

  test("[J2] a starting server cuts off its journal's tail at the zeros that a power cut left", async () => {
    await using folder = await memoryFolder();
    const written = await killedAfter([[a, b], [a], [b, b]], 10_000);
    const [name, bytes] = [...written.files][0] as [string, Buffer];
    for (let at = written.syncedBytes; at < bytes.length; at += 17) {
      const torn = Buffer.from(bytes).fill(0, at, Math.min(at + 40, bytes.length));
      const opened = await openFiles(
        join(folder.path, "journal"),
        withFile(written.files, name, torn),
      );
      expect(isTrue(opened, written)).toBe(true);
      expect(opened.found.damages).toEqual([]);
      expect(opened.given.length).toBeGreaterThanOrEqual(written.synced);
      expect(opened.found.cutBytes).toBeGreaterThan(0);
    }
  });

  test("[J2] [J5] a starting server knows the lost events if a synced sector of its journal has turned to zeros", async () => {
    await using folder = await memoryFolder();
    const path = join(folder.path, "journal");
    const written = await killedAfter([[a, b], [c], [a, b, a], [b]], 10_000);
    const [name, bytes] = [...written.files][0] as [string, Buffer];
    const firstLine = bytes.indexOf(0x0a) + 1;
    for (let at = firstLine; at + 512 < written.syncedBytes; at += 13) {
      const rotten = Buffer.from(bytes).fill(0, at, at + 512);
      const opened = await openFiles(path, withFile(written.files, name, rotten));
      expectNamed(opened, written, `${join(path, name)}:${lineOf(bytes, at)}`);
      expect(opened.found.isLossUnknown).toBe(false);
    }
  });

  test("[J2] after a clean stop, a change of any journal byte before the last sync note counts as rot", async () => {
    await using parent = await memoryFolder();
    const path = join(parent.path, "journal");
    {
      await using journal = await OpenJournal.at(path);
      await journal.write(new EventMaker().many(a, 2, "1"));
    }
    const files = readFiles(path);
    const [name, bytes] = [...files][0] as [string, Buffer];
    for (let at = 0; at < bytes.lastIndexOf('{"synced":'); at += 3) {
      const { found } = await openFiles(path, withFile(files, name, flipped(bytes, at, 1)));
      expect(found.damages[0], `byte ${at}`).toMatchObject({ line: lineOf(bytes, at) });
      expect(found.known[a]?.seq).toBe(2);
    }
  });

  test("[J2] [J5] after a kill of an idle server, a change in its last batch counts as rot, not as a torn tail", async () => {
    await using folder = await memoryFolder();
    const path = join(folder.path, "journal");
    const [name, bytes] = await (async (): Promise<[string, Buffer]> => {
      await using journal = await OpenJournal.at(path, { idleMs: 1 });
      await journal.write(new EventMaker().many(a, 2, "1"));
      const endsInNote = () => lastLineOf(path).startsWith('{"synced":');
      await until(endsInNote, "the end of the last batch is noted");
      return [...readFiles(path)][0] as [string, Buffer];
    })();
    const end = bytes.lastIndexOf('{"synced":');
    const first = bytes.indexOf('{"event":');
    for (let at = first; at < end; at += 3) {
      const { found } = await openFiles(path, withFile(new Map(), name, flipped(bytes, at, 1)));
      expect(found.damages[0], `byte ${at}`).toMatchObject({ line: lineOf(bytes, at) });
      expect(found.cutBytes).toBe(0);
    }
  });

  test("[J2] a server that starts after a kill writes a sync note for the end of the last batch", async () => {
    await using folder = await memoryFolder();
    const path = join(folder.path, "journal");
    const { files } = await killedAfter([[a], [b]], 10_000);
    plantFiles(path, files);
    await using _ = await OpenJournal.at(path, { idleMs: 1 });
    const endsInNote = () => lastLineOf(path).startsWith('{"synced":');
    await until(endsInNote, "the end of the last batch is noted");
  });

  test("a journal that was closed writes no further sync note", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      await using folder = await memoryFolder();
      const journal = await OpenJournal.at(folder.path);
      await journal.write(new EventMaker().many(a, 2));
      expect(vi.getTimerCount()).toBe(1);
      await journal.journal.close();
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  test("[R1] [J2] a starting server reports a missing journal line as a gap, although all other lines are undamaged", async () => {
    await using folder = await memoryFolder();
    const { files } = await killedAfter([[a, a], [b]], 10_000);
    const [name, bytes] = [...files][0] as [string, Buffer];
    const lines = bytes.toString().split("\n");
    lines.splice(2, 1);
    const { found } = await openFiles(
      join(folder.path, "journal"),
      withFile(files, name, Buffer.from(lines.join("\n"))),
    );
    expect(found.damages[0]?.why).toMatch(/goes from 0 to 2/);
  });

  test("[J5] a starting server names a journal line whose chain does not fit the earlier lines", async () => {
    await using folder = await memoryFolder();
    const { files } = await killedAfter([[a, a], [b]], 10_000);
    const [name, bytes] = [...files][0] as [string, Buffer];
    const lines = bytes.toString().split("\n");
    const other = new EventMaker();
    other.next(a, "another first");
    lines[3] = other.next(a, "Olá").line;
    const { found } = await openFiles(
      join(folder.path, "journal"),
      withFile(files, name, Buffer.from(lines.join("\n"))),
    );
    expect(found.damages[0]).toMatchObject({ line: 4 });
    expect(found.damages[0]?.why).toMatch(/chain of .* breaks at 2/);
  });
});
