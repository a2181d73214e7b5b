import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Chain, emptyChain, type ServerName } from "../../src/protocol/ids.ts";
import { writeCheckpoint } from "../../src/storage/checkpoint.ts";
import { serverName } from "../support/event-lines.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const mark = {
  vector: { [serverName(1)]: 3 },
  chains: { [serverName(1)]: emptyChain } as Record<ServerName, Chain>,
  clock: 12,
};

function* pieces(count: number): Generator<string> {
  for (let number = 0; number < count; number += 1) yield `line ${number} Olá\n`;
}

describe("a checkpoint", () => {
  test("[J1] holds each file whole, and checkpoint.json with sizes and checksums", async () => {
    await using folder = await temporaryFolder();
    const files = [
      { name: "a.json", pieces: pieces(20_000) },
      { name: "b.json", pieces: [] },
    ];
    await writeCheckpoint(folder.path, files, mark);
    expect((await readdir(folder.path)).sort()).toEqual(["a.json", "b.json", "checkpoint.json"]);
    const a = await readFile(join(folder.path, "a.json"));
    expect(a.toString()).toBe([...pieces(20_000)].join(""));
    const written = JSON.parse(await readFile(join(folder.path, "checkpoint.json"), "utf8"));
    const checksum = createHash("sha256").update(a).digest("hex");
    expect(written).toMatchObject({ ...mark, files: { "a.json": { bytes: a.length, checksum } } });
    expect(written.files["b.json"].bytes).toBe(0);
  });

  test("[R4] of the same is the same, byte for byte, and replaces the one before", async () => {
    await using folder = await temporaryFolder();
    await using other = await temporaryFolder();
    const write = (path: string, count: number) =>
      writeCheckpoint(path, [{ name: "a.json", pieces: pieces(count) }], mark);
    await write(folder.path, 9);
    await write(folder.path, 5);
    await write(other.path, 5);
    for (const name of ["a.json", "checkpoint.json"]) {
      const [one, two] = [folder, other].map(({ path }) => readFile(join(path, name), "utf8"));
      expect(await one).toBe(await two);
    }
  });

  test("[J1] one that breaks off leaves each file whole, and checkpoint.json as it was", async () => {
    await using folder = await temporaryFolder();
    const write = (first: Iterable<string>) =>
      writeCheckpoint(folder.path, [{ name: "a.json", pieces: first }], mark);
    await write(["old"]);
    const before = await readFile(join(folder.path, "checkpoint.json"), "utf8");
    function* broken(): Generator<string> {
      yield "x".repeat(100_000);
      throw new Error("the power went");
    }
    await expect(write(broken())).rejects.toThrow("the power went");
    expect(await readFile(join(folder.path, "a.json"), "utf8")).toBe("old");
    expect(await readFile(join(folder.path, "checkpoint.json"), "utf8")).toBe(before);
  });
});
