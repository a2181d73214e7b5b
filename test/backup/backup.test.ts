import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { CliProcess } from "../terminal/cli-process.ts";

let place: TemporaryFolder;

beforeEach(async () => {
  place = await temporaryFolder();
});

afterEach(() => place[Symbol.asyncDispose]());

async function backUp(name: string) {
  using command = new CliProcess(["backup", join(place.path, name)]);
  return await command.end();
}

describe("backup", { timeout: 30_000 }, () => {
  test("[O53] `backup` removes no files that another `backup` has not made", async () => {
    mkdirSync(join(place.path, "file.tmp"));
    writeFileSync(join(place.path, "file.tmp/notes"), "mine");
    const { code, stderr } = await backUp("file");
    expect(stderr).toContain("is needed for unfinished files, but has other files");
    expect(code).toBe(1);
    expect(readdirSync(join(place.path, "file.tmp"))).toEqual(["notes"]);
  });

  test("[O53] `backup` creates no folder for a file whose name ends with a slash", async () => {
    const { code, stderr } = await backUp("new/");
    expect(stderr).toContain("There is no folder");
    expect(code).toBe(1);
    expect(readdirSync(place.path)).toEqual([]);
  });

  test("[O53] `backup` says that a folder can't be written, and does not speak of the data folder", async (context) => {
    if (process.getuid?.() === 0) return context.skip("root may write to every folder");
    mkdirSync(join(place.path, "read-only"), { mode: 0o500 });
    const { code, stderr } = await backUp("read-only/file");
    expect(stderr).toContain("read-only can't be written (EACCES)");
    expect(code).toBe(1);
  });
});
