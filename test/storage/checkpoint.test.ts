import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { noEpoch } from "../../src/protocol/epoch.ts";
import { emptyChain } from "../../src/protocol/ids.ts";
import {
  type CheckpointSource,
  checkpointFiles,
  openCheckpoint,
  readCheckpoint,
  writeCheckpoint,
} from "../../src/storage/checkpoint.ts";
import { serverName } from "../support/event-lines.ts";
import {
  type Files,
  flipped,
  lineOf,
  plantFiles,
  readFiles,
  withFile,
} from "../support/journal-files.ts";
import { memoryFolder, temporaryFolder } from "../support/temporary-folder.ts";

/** A state in the documented file formats, whose contents depend on `number`. */
function stateOf(number: number, messages = 2): CheckpointSource {
  const server = serverName(1);
  function* entries(): Generator<string> {
    yield "[\n";
    for (let seq = 1; seq <= messages; seq += 1) {
      yield `{"seq":${seq},"message":"Olá ${number}"}${seq < messages ? "," : ""}\n`;
    }
    yield "]\n";
  }
  return {
    mark: {
      vector: { [server]: number },
      chains: { [server]: emptyChain },
      clock: number,
      times: { [server]: 1_700_000_000_000 },
      epoch: noEpoch,
    },
    files: [
      { name: "users.json", lines: ["{\n", '"ana":["2026-01-01T00:00:00.000Z"]\n', "}\n"] },
      { name: "channels.json", lines: ["[\n", '"geral"\n', "]\n"] },
      { name: "accounts.json", lines: ["[\n", `{"user":"eva"}\n`, "]\n"] },
      { name: "messages.json", lines: ["[]\n"] },
      { name: "publications.json", lines: entries() },
    ],
    rows: [`{"login":"ana","seq":${number}}`, '{"channel":"geral"}'],
  };
}

/** The files of a folder in which these states were saved one after the other. */
async function filesOf(...states: readonly CheckpointSource[]): Promise<Files> {
  await using folder = await memoryFolder();
  for (const state of states) await writeCheckpoint(folder.path, state);
  return readFiles(folder.path);
}

describe("a saved state", () => {
  test("[J1] a saved state has all its files, and checkpoint.json has their sizes and checksums", async () => {
    await using folder = await temporaryFolder();
    const checksum = await writeCheckpoint(folder.path, stateOf(3, 20_000));
    expect(readdirSync(folder.path).sort()).toEqual([...checkpointFiles].sort());
    const written = JSON.parse(readFileSync(join(folder.path, "checkpoint.json"), "utf8"));
    const { mark } = stateOf(3);
    expect(written).toMatchObject({ vector: mark.vector, chains: mark.chains, clock: 3 });
    expect(written.checksum).toBe(checksum);
    for (const name of checkpointFiles.slice(0, -1)) {
      const bytes = readFileSync(join(folder.path, name));
      expect(JSON.parse(bytes.toString()), name).toBeDefined();
      expect(written.files[name]).toEqual({
        bytes: bytes.length,
        checksum: createHash("sha256").update(bytes).digest("hex"),
      });
    }
  });

  test("[J1] [J2] a saved state reads back exactly as written", async () => {
    await using folder = await temporaryFolder();
    const checksum = await writeCheckpoint(folder.path, stateOf(7, 3_000));
    const { checkpoint, damages } = openCheckpoint(folder.path);
    expect(damages).toEqual([]);
    expect(checkpoint?.mark).toEqual(stateOf(7).mark);
    expect(checkpoint?.checksum).toBe(checksum);
    expect([...(checkpoint?.rows ?? [])]).toEqual([...stateOf(7).rows]);
    const entries = [...(checkpoint?.entries("publications.json") ?? [])];
    expect(entries).toHaveLength(3_000);
    expect(JSON.parse(entries[2_999] as string)).toEqual({ seq: 3_000, message: "Olá 7" });
    expect([...(checkpoint?.entries("messages.json") ?? [])]).toEqual([]);
  });

  test("[R4] a saved state replaces the earlier saved state completely, so that equal states have the same files", async () => {
    expect(await filesOf(stateOf(9, 50), stateOf(5))).toEqual(await filesOf(stateOf(5)));
  });

  test("an empty folder has no saved state and no damage", async () => {
    await using folder = await temporaryFolder();
    expect(openCheckpoint(folder.path)).toEqual({ checkpoint: undefined, damages: [] });
  });
});

describe("rot in a saved state", () => {
  /** Copies of `bytes`. In each copy, one byte has a flipped bit or is a newline. */
  function* flipsOf(bytes: Buffer): Generator<{ at: number; rotten: Buffer }> {
    for (const [at, byte] of bytes.entries()) {
      yield { at, rotten: flipped(bytes, at, 1 << (at % 8)) };
      if (at % 5 === 0 && byte !== 0x0a) yield { at, rotten: flipped(bytes, at, byte ^ 0x0a) };
    }
  }

  test.each(checkpointFiles)(
    "[J5] a change of any byte of %s is found, with file and line",
    async (name) => {
      await using folder = await memoryFolder();
      const files = await filesOf(stateOf(1));
      plantFiles(folder.path, files);
      const bytes = files.get(name) as Buffer;
      const complaints: string[] = [];
      for (const { at, rotten } of flipsOf(bytes)) {
        plantFiles(folder.path, new Map([...withFile(files, name, rotten)]));
        const { checkpoint, damages } = readCheckpoint(folder.path);
        const found = damages.map(({ path, line }) => `${path}:${line}`).join();
        const place = `${join(folder.path, name)}:${lineOf(bytes, at)}`;
        if (checkpoint !== undefined || found !== place) {
          complaints.push(`byte ${at}: ${found} instead of ${place}`);
        }
      }
      expect(complaints.slice(0, 10)).toEqual([]);
    },
  );

  test.each(checkpointFiles)(
    "[J5] %s is found to be damaged if it is cut short or missing",
    async (name) => {
      await using folder = await memoryFolder();
      const files = await filesOf(stateOf(1));
      const bytes = files.get(name) as Buffer;
      for (let end = 0; end < bytes.length; end += 1) {
        plantFiles(folder.path, withFile(files, name, bytes.subarray(0, end)));
        const { checkpoint, damages } = readCheckpoint(folder.path);
        expect(checkpoint, `${end} bytes are left`).toBe(undefined);
        expect(damages, `${end} bytes are left`).toMatchObject([{ path: join(folder.path, name) }]);
      }
      if (name === "checkpoint.json") return;
      plantFiles(folder.path, withFile(files, name, undefined));
      const path = join(folder.path, name);
      expect(readCheckpoint(folder.path).damages).toEqual([
        { path, line: 1, why: "it is missing" },
      ]);
    },
  );

  test("[J5] a line that was added to a saved state is reported as damage", async () => {
    await using folder = await memoryFolder();
    const files = await filesOf(stateOf(1));
    const name = "channels.json";
    const longer = Buffer.concat([files.get(name) as Buffer, Buffer.from('"outro"\n')]);
    plantFiles(folder.path, withFile(files, name, longer));
    expect(readCheckpoint(folder.path).damages).toMatchObject([
      { path: join(folder.path, name), line: 4 },
    ]);
  });

  test("[J5] rot in two files of a saved state is reported for both files, even if one of them is lines.json", async () => {
    await using folder = await memoryFolder();
    const files = await filesOf(stateOf(1, 9));
    const rot = (name: string, line: number) => {
      const bytes = files.get(name) as Buffer;
      const at =
        bytes
          .toString("latin1")
          .split("\n")
          .slice(0, line - 1)
          .join("\n").length + 3;
      return flipped(bytes, at, 1);
    };
    const one = withFile(files, "publications.json", rot("publications.json", 5));
    plantFiles(folder.path, withFile(one, "lines.json", rot("lines.json", 4)));
    const { damages } = readCheckpoint(folder.path);
    expect(damages.map(({ path }) => path.slice(folder.path.length + 1))).toEqual([
      "publications.json",
      "lines.json",
    ]);
  });
});

describe("a crash while a state is saved", () => {
  /** The files at every step, from the first byte that is written to the last rename. */
  function* steps(old: Files, next: Files): Generator<{ files: Files; isNew: boolean }> {
    let files = old;
    for (const name of checkpointFiles) {
      const bytes = next.get(name) as Buffer;
      for (let end = 0; end <= bytes.length; end += Math.ceil(bytes.length / 7)) {
        files = withFile(files, `${name}.tmp`, bytes.subarray(0, end));
        yield { files, isNew: name === "checkpoint.json" && end === bytes.length };
      }
      files = withFile(files, `${name}.tmp`, bytes);
      yield { files, isNew: name === "checkpoint.json" };
    }
    for (const name of checkpointFiles) {
      files = withFile(withFile(files, `${name}.tmp`, undefined), name, next.get(name));
      yield { files, isNew: true };
    }
  }

  test.each([
    ["the first", []],
    ["a later", [stateOf(1)]],
  ] as const)(
    "[J1] if a crash happens at any point while %s state is saved, the folder has exactly the old or the new state",
    async (_, before) => {
      await using folder = await memoryFolder();
      const old = before.length === 0 ? new Map<string, Buffer>() : await filesOf(...before);
      const next = await filesOf(stateOf(2, 5));
      // The clean-up must not remove the `.tmp` file of another file, such as promises.json.
      const others = new Map([["promises.json.tmp", Buffer.from("{")]]);
      for (const { files, isNew } of steps(old, next)) {
        plantFiles(folder.path, new Map([...files, ...others]));
        const { checkpoint, damages } = openCheckpoint(folder.path);
        expect(damages).toEqual([]);
        const expected = isNew ? 2 : before.length === 0 ? undefined : 1;
        expect(checkpoint?.mark.clock).toBe(expected);
        expect(readFiles(folder.path)).toEqual(new Map([...(isNew ? next : old), ...others]));
      }
    },
  );

  test("[J1] after a crash, a starting server finds the new state, whichever files of that state have their final names", async () => {
    await using folder = await memoryFolder();
    const old = await filesOf(stateOf(1));
    const next = await filesOf(stateOf(2));
    // All new files are written. After a power cut, any of them may have their final names.
    for (let set = 0; set < 2 ** checkpointFiles.length; set += 1) {
      const files = new Map(old);
      for (const [index, name] of checkpointFiles.entries()) {
        const isRenamed = (set & (1 << index)) !== 0;
        files.set(isRenamed ? name : `${name}.tmp`, next.get(name) as Buffer);
      }
      plantFiles(folder.path, files);
      expect(openCheckpoint(folder.path).checkpoint?.mark.clock).toBe(2);
      expect(readFiles(folder.path)).toEqual(next);
    }
  });

  test("[J1] if a new saved state can't be written, the folder has the earlier state and no other files", async () => {
    await using folder = await memoryFolder();
    await writeCheckpoint(folder.path, stateOf(1));
    const before = readFiles(folder.path);
    function* broken(): Generator<string> {
      yield "x".repeat(100_000);
      throw new Error("the power went");
    }
    const files = [{ name: "publications.json", lines: broken() }];
    const writing = writeCheckpoint(folder.path, { ...stateOf(2), files });
    await expect(writing).rejects.toThrow("the power went");
    expect(readFiles(folder.path)).toEqual(before);
  });

  test("[J1] [R11] if the writing of a new saved state is aborted, the folder has the earlier state and no other files", async () => {
    await using folder = await memoryFolder();
    await writeCheckpoint(folder.path, stateOf(1));
    const before = readFiles(folder.path);
    const aborting = new AbortController();
    function* endless(): Generator<string> {
      for (let line = 0; ; line += 1) {
        if (line === 5_000) aborting.abort();
        yield `${line}\n`;
      }
    }
    const files = [{ name: "publications.json", lines: endless() }];
    const writing = writeCheckpoint(folder.path, { ...stateOf(2), files }, aborting.signal);
    await expect(writing).rejects.toThrow(/abort/i);
    expect(readFiles(folder.path)).toEqual(before);
    expect(existsSync(join(folder.path, "publications.json.tmp"))).toBe(false);
  });
});
