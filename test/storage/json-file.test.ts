import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Problem } from "../../src/platform/problem.ts";
import { readJson, writeAtomically, writeJson } from "../../src/storage/json-file.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const asIs = (value: unknown) => value;

describe("a JSON file", () => {
  test("a JSON file reads back as written", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "some.json");
    const value = { name: "Olá 🙂", list: [1, null, { deep: true }] };
    await writeJson(path, value);
    expect(await readJson(path, asIs)).toEqual({ ...value, format: 1 });
    expect(await readFile(path, "utf8")).toMatch(/\n$/);
  });

  test("a JSON file that does not exist is read as undefined", async () => {
    await using folder = await temporaryFolder();
    expect(await readJson(join(folder.path, "none.json"), asIs)).toBeUndefined();
  });

  test("[R2] a JSON file is replaced as a whole, so that no reader ever sees half of it", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "some.json");
    const texts = ["a", "b"].map((letter) => `${JSON.stringify(letter.repeat(200_000))}\n`);
    await writeAtomically(path, texts[0] as string);
    let isWriting = true;
    const writing = (async () => {
      for (let round = 1; round <= 10; round += 1) {
        await writeAtomically(path, texts[round % 2] as string);
      }
      isWriting = false;
    })();
    let reads = 0;
    while (isWriting) {
      expect(texts).toContain(await readFile(path, "utf8"));
      reads += 1;
    }
    await writing;
    expect(reads).toBeGreaterThan(0);
    expect(await readdir(folder.path)).toEqual(["some.json"]);
  });

  test("[R2] a JSON file keeps its old text if a crash cut a write short", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "some.json");
    await writeJson(path, { text: "old" });
    await writeFile(`${path}.tmp`, '"ne');
    expect(await readJson(path, asIs)).toMatchObject({ text: "old" });
    await writeJson(path, { text: "new" });
    expect(await readJson(path, asIs)).toMatchObject({ text: "new" });
  });

  test("a JSON file is written with the given mode", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "secret.json");
    await writeJson(path, {}, 0o600);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test.each(["", "{", '{"a":1}x', "\0\0\0"])(
    "a JSON file with the text %j causes a problem that names the file",
    async (text) => {
      await using folder = await temporaryFolder();
      const path = join(folder.path, "bad.json");
      await writeFile(path, text);
      const reading = readJson(path, asIs);
      await expect(reading).rejects.toThrow(Problem);
      await expect(reading).rejects.toThrow(`${path} is damaged`);
    },
  );

  test("a JSON file with a wrong value causes a problem that says why", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "bad.json");
    await writeJson(path, {});
    const parse = () => {
      throw new Error("it has no `name`");
    };
    await expect(readJson(path, parse)).rejects.toThrow("it has no `name`");
  });

  test("a JSON file that can't be read causes a problem that names the file", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "folder.json");
    await mkdir(path);
    await expect(readJson(path, asIs)).rejects.toThrow(`${path} can't be read (EISDIR)`);
  });
});
