import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { digest } from "../../src/platform/digest.ts";
import type { EventLine } from "../../src/protocol/event.ts";
import { entryFiles } from "../../src/protocol/state-files.ts";
import { checkpointFiles, writeCheckpoint } from "../../src/storage/checkpoint.ts";
import { serverFolders, verifyFolder } from "../../src/storage/verify.ts";
import { EventMaker, serverName } from "../support/event-lines.ts";
import { flipped, lineOf } from "../support/journal-files.ts";
import { markAt } from "../support/marks.ts";
import { OpenJournal } from "../support/open-journal.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { CliProcess } from "../terminal/cli-process.ts";

const a = serverName(1);

/**
 * Fills a server's folder with a journal of 30 events, and a saved state of the first 20 events.
 */
async function serverFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "identity.json"), `{"name":"${a}"}\n`);
  await writeFile(
    join(folder, "promises.json"),
    '{"view":{"number":1,"members":[]},"epoch":null}\n',
  );
  const lines = new EventMaker().many(a, 30);
  await using journal = await OpenJournal.at(join(folder, "journal"), { fileBytes: 2_000 });
  for (let at = 0; at < 20; at += 5) await journal.write(lines.slice(at, at + 5));
  await journal.journal.cut();
  const { chain } = lines[19] as EventLine;
  const mark = markAt({ [a]: 20 }, { [a]: chain });
  const entries = lines.slice(0, 20).map(({ event: { seq } }) => `{"seq":${seq}}`);
  const files = entryFiles.map((name) => {
    return { name, lines: ["[\n", ...entries.map((entry) => `${entry},\n`), "{}\n", "]\n"] };
  });
  await writeCheckpoint(folder, { mark, files, rows: ['{"login":"ana"}', '{"channel":"geral"}'] });
  await journal.write(lines.slice(20));
}

describe("the command verify", () => {
  test("[J5] verify does not lower its reported vector if a state fetched from a peer has fewer events of this server", async () => {
    await using folder = await temporaryFolder();
    await serverFolder(folder.path);
    // The peer has fewer events of this server, and more of another server.
    const b = serverName(2);
    const mark = markAt({ [a]: 3, [b]: 7 });
    await mkdir(join(folder.path, "snapshot"));
    const files = [{ name: "users.json", lines: ["{}\n"] }];
    await writeCheckpoint(join(folder.path, "snapshot"), { mark, files, rows: [] });
    rmSync(join(folder.path, "journal", "00000001.jsonl"));
    const { damages, vector: reached } = verifyFolder(folder.path, digest);
    expect(damages.filter(({ why }) => why.startsWith("what lies before it"))).toEqual([]);
    expect(reached).toEqual({ [a]: 30, [b]: 7 });
  });

  test("[J5] verify reports a data folder without damage as intact and does not change the folder", async () => {
    await using folder = await temporaryFolder();
    await serverFolder(folder.path);
    const before = checkpointFiles.map((name) => readFileSync(join(folder.path, name), "utf8"));
    expect(verifyFolder(folder.path, digest)).toMatchObject({
      damages: [],
      savedEvents: 20,
      journalEvents: 30,
      vector: { [a]: 30 },
      tornBytes: 0,
    });
    const after = checkpointFiles.map((name) => readFileSync(join(folder.path, name), "utf8"));
    expect(after).toEqual(before);
  });

  test.each([...checkpointFiles, "journal/00000001.jsonl", "journal/00000002.jsonl"])(
    "[J5] verify names a flipped byte in %s by file and line",
    async (name) => {
      await using folder = await temporaryFolder();
      const whole = join(folder.path, "whole");
      await serverFolder(whole);
      const { length } = readFileSync(join(whole, name));
      for (let at = 3; at < length; at += Math.ceil(length / 12)) {
        const damaged = join(folder.path, "damaged");
        cpSync(whole, damaged, { recursive: true });
        const path = join(damaged, name);
        const bytes = readFileSync(path);
        writeFileSync(path, flipped(bytes, at, 0x01));
        const { damages } = verifyFolder(damaged, digest);
        expect(damages[0], `byte ${at}`).toMatchObject({ path, line: lineOf(bytes, at) });
      }
    },
  );

  test("[J5] verify finds a saved state whose history differs from the journal's history", async () => {
    await using folder = await temporaryFolder();
    await serverFolder(folder.path);
    const { chain } = new EventMaker().next(a, "another history");
    const mark = markAt({ [a]: 20 }, { [a]: chain });
    await writeCheckpoint(folder.path, { mark, files: [], rows: [] });
    expect(verifyFolder(folder.path, digest).damages[0]?.why).toContain("another event");
  });

  test("the command verify names damage and exits with 1, and exits with 2 for a path that is not a data folder", async () => {
    await using folder = await temporaryFolder();
    const slot = join(folder.path, "servers", "1");
    await serverFolder(slot);
    expect(serverFolders(folder.path)).toEqual([slot]);
    using good = new CliProcess(["verify", folder.path]);
    expect(await good.end()).toMatchObject({ code: 0, stderr: "" });
    expect(good.stdout).toBe(
      "servers/1: intact; 20 events in the saved state, 30 in the journal\n",
    );
    const path = join(slot, "publications.json");
    writeFileSync(path, readFileSync(path, "utf8").replace('"seq":7', '"seq":8'));
    using bad = new CliProcess(["verify", folder.path, "--json"]);
    const ended = await bad.end();
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining("Damaged places: 1") });
    expect(JSON.parse(ended.stdout).damages).toMatchObject([{ path, line: 8 }]);
    using none = new CliProcess(["verify", join(folder.path, "none")]);
    expect(await none.end()).toMatchObject({ code: 2, stdout: "" });
  });
});
