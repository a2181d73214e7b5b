import {
  chmodSync,
  copyFileSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { CliProcess } from "../terminal/cli-process.ts";

const text = "the first secret of the cluster";

/** A data folder with a secret, and a function that runs `tertulia secret` on it. */
async function scene() {
  const folder = await temporaryFolder();
  const file = join(folder.path, "secret");
  writeFileSync(file, `${text}\n`, { mode: 0o600 });
  const said: string[] = [];
  const run = async (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const ended = await new CliProcess(["secret", ...args], {
      TERTULIA_DATA: folder.path,
      ...env,
    }).end();
    said.push(ended.stdout, ended.stderr);
    return ended;
  };
  const lines = () => readFileSync(file, "utf8").trim().split("\n");
  return { folder, file, said, run, lines };
}

describe("tertulia secret", { timeout: 120_000 }, () => {
  test("[O55] the command secret adds a secret, puts it first, and drops the old one; it prints only fingerprints, and keeps the file's mode", async () => {
    const { folder, file, said, run, lines } = await scene();
    await using _folder = folder;
    const add = await run(["add", "--json"]);
    const { action, secrets } = JSON.parse(add.stdout);
    expect({ action, code: add.code }).toEqual({ action: "add", code: 0 });
    const [first, added = ""] = lines();
    expect(first).toBe(text);
    expect(added).toMatch(/^[0-9a-f]{64}$/);
    const [used, other] = secrets as string[];
    const switched = await run(["switch"]);
    expect(lines()).toEqual([added, text]);
    expect(switched.stdout).toContain(`all processes use ${other} and also accept ${used}`);
    expect(switched.stdout).toContain("tertulia secret drop");
    const drop = await run(["drop"]);
    expect(lines()).toEqual([added]);
    expect(drop.stdout).toContain(`all processes use only ${other}`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder.path)).toEqual(["secret"]);
    for (const secret of [text, added]) expect(said.join("")).not.toContain(secret);
  });

  test("[O55] the command secret refuses a step that the file does not allow, and changes nothing", async () => {
    const { folder, file, run, lines } = await scene();
    await using _folder = folder;
    for (const action of ["switch", "drop"]) {
      const { code, stderr } = await run([action]);
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: `tertulia: ${file} has only one secret: add another one first (tertulia secret add).\n`,
      });
    }
    expect(lines()).toEqual([text]);
    for (const _ of ["second", "third"]) await run(["add"]);
    const before = lines();
    expect((await run(["add"])).stderr).toContain("already has 3 secrets");
    expect(lines()).toEqual(before);
    expect((await run(["rotate"])).code).toBe(2);
    const inEnvironment = await run(["add"], { TERTULIA_SECRET: text });
    expect(inEnvironment.code).toBe(2);
    expect(inEnvironment.stderr).toContain("TERTULIA_SECRET");
    expect(lines()).toEqual(before);
  });

  test("[O55] the command secret replaces the file behind a link, and keeps its mode", async () => {
    const { folder, file, run, lines } = await scene();
    await using _folder = folder;
    chmodSync(file, 0o640);
    const link = join(folder.path, "link");
    symlinkSync(file, link);
    expect((await run(["add", "--secret-file", link])).code).toBe(0);
    expect(lines()).toHaveLength(2);
    expect(statSync(file).mode & 0o777).toBe(0o640);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
  });

  test("[O55] the command secret says what to do if it can't replace the file, and leaves nothing behind", async () => {
    const { folder, file, run, lines } = await scene();
    await using _folder = folder;
    // A name so long that no further file fits beside it.
    const long = join(folder.path, "s".repeat(255));
    copyFileSync(file, long);
    const { code, stderr } = await run(["add", "--secret-file", long]);
    expect(code).toBe(1);
    expect(stderr).toContain("can't be replaced (ENAMETOOLONG): run this as the file's owner");
    expect(lines()).toEqual([text]);
    expect(readdirSync(folder.path).sort()).toEqual(["secret", basename(long)]);
  });
});
