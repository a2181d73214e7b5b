import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { format } from "../../src/backup/manifest.ts";
import { serverName } from "../support/event-lines.ts";
import { packed } from "../support/packed-backup.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";
import { CliProcess, type Ended } from "../terminal/cli-process.ts";

let place: TemporaryFolder;

beforeEach(async () => {
  place = await temporaryFolder();
});

afterEach(() => place[Symbol.asyncDispose]());

const inPlace = (name: string) => join(place.path, name);
const json = (name: string) => JSON.parse(readFileSync(inPlace(`data/servers/1/${name}`), "utf8"));

async function restore(backup: Buffer): Promise<Ended> {
  writeFileSync(inPlace("file"), backup);
  using command = new CliProcess(["restore", inPlace("file"), "--data", inPlace("data")]);
  return await command.end();
}

describe("restore", { timeout: 60_000 }, () => {
  test("[O54] [E2] a restored server has a new name, a higher view of its own, and a clock above that of the backup", async () => {
    const view = { number: 7, members: [serverName(1), serverName(2)] };
    const ended = await restore(await packed(undefined, 10, { view, clock: 5_000 }));
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    const { name } = json("identity.json");
    expect(view.members).not.toContain(name);
    expect(json("promises.json").view.members).toEqual([name]);
    expect(json("promises.json").view.number).toBeGreaterThan(7);
    expect(json("clock.json").reserved).toBeGreaterThan(5_000);
  });

  test("[O54] [E2] the view of a restored server has a number that neither empty servers nor another restored server have", async () => {
    const backup = await packed(undefined, 10, { view: { number: 3, members: [serverName(1)] } });
    await restore(backup);
    const { number } = json("promises.json").view;
    renameSync(inPlace("data"), inPlace("first"));
    await restore(backup);
    expect(number).toBeGreaterThan(1_000_000);
    expect(json("promises.json").view.number).toBeGreaterThan(number);

    const late = { number: 2 * Date.now(), members: [serverName(1)] };
    renameSync(inPlace("data"), inPlace("second"));
    await restore(await packed(undefined, 10, { view: late }));
    expect(json("promises.json").view.number).toBe(late.number + 1);
  });

  test("[O54] a `restore` that is stopped leaves nothing in the data folder", async () => {
    using command = new CliProcess(["restore", "-", "--data", inPlace("data")]);
    command.child.stdin.write((await packed(undefined, 10)).subarray(0, 500));
    await until(() => existsSync(inPlace("data/restore.tmp/lock")), "the restore has begun");
    command.child.kill("SIGTERM");
    await command.saw("The restore was stopped, and no server was made: run it again.");
    expect(await command.end()).toMatchObject({ code: 1 });
    expect(readdirSync(inPlace("data"))).toEqual([]);
  });

  test("[O54] `restore` removes no files that another `restore` has not made", async () => {
    mkdirSync(inPlace("data/restore.tmp"), { recursive: true });
    writeFileSync(inPlace("data/restore.tmp/notes"), "mine");
    const refused = { code: 1, stdout: "" };
    const backup = await packed(undefined, 10);
    expect(await restore(backup)).toMatchObject(refused);
    expect(readdirSync(inPlace("data/restore.tmp"))).toEqual(["notes"]);
    // A link could lead to a folder that happens to have a lock.
    renameSync(inPlace("data/restore.tmp"), inPlace("elsewhere"));
    writeFileSync(inPlace("elsewhere/lock"), "");
    symlinkSync(inPlace("elsewhere"), inPlace("data/restore.tmp"));
    const { stderr, ...ended } = await restore(backup);
    expect(ended).toEqual(refused);
    expect(stderr).toContain("is needed for unfinished files, but has other files");
    expect(readdirSync(inPlace("elsewhere")).sort()).toEqual(["lock", "notes"]);
  });

  test("[O54] a manifest with a wrong vector is damage of the backup, and not of the data folder", async () => {
    const vector = { nobody: 3 } as Record<string, number>;
    const { code, stderr } = await restore(await packed(undefined, 10, { vector }));
    expect(stderr).toContain("is damaged or incomplete");
    expect(code).toBe(1);
  });

  test("[O54] a backup whose counts or chains are not those of its state is refused, and no server is made", async () => {
    const counts = { users: 0, channels: 0, accounts: 0, messages: 0, publications: 11 };
    for (const change of [{ counts }, { chains: {} }]) {
      const { code, stderr } = await restore(await packed(undefined, 10, change));
      expect(stderr).toContain("the state is not the one that the manifest describes");
      expect(stderr).toContain("nothing was restored: use another backup.");
      expect(code).toBe(1);
    }
    expect(existsSync(inPlace("data/servers"))).toBe(false);
    expect(existsSync(inPlace("data/restore.tmp"))).toBe(false);
  });

  test("[O54] `restore` names the version that can restore a backup of a newer format", async () => {
    const newer = { format: format + 1, version: "9.0.0" };
    const { code, stderr } = await restore(await packed(undefined, 10, newer));
    expect(stderr).toContain("was made by the newer version 9.0.0");
    expect(code).toBe(1);
  });

  test("[O54] `restore` first removes what a killed `restore` has left", async () => {
    mkdirSync(inPlace("data/restore.tmp/journal"), { recursive: true });
    for (const name of ["lock", "publications.json", "identity.json", "journal/00000001.jsonl"]) {
      writeFileSync(inPlace(`data/restore.tmp/${name}`), "half a line");
    }
    expect(await restore(await packed(undefined, 10))).toMatchObject({ code: 0, stderr: "" });
    expect(json("publications.json")).toHaveLength(10);
  });
});
