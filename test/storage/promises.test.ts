import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Problem } from "../../src/platform/problem.ts";
import { EventMaker, serverName } from "../support/event-lines.ts";
import { makeMember, OpenDisk } from "../support/open-disk.ts";
import { memoryFolder } from "../support/temporary-folder.ts";

/** Fills the folder of a member with three events, in its journal or only in a saved state. */
async function fill(folder: string, { saved }: { saved: boolean }): Promise<void> {
  makeMember(folder);
  const open = await OpenDisk.at(folder);
  open.put(new EventMaker().many(serverName(1), 3));
  await open.settled();
  await open.disk.close(saved ? open.core : undefined);
  if (saved) rmSync(join(folder, "journal", "00000001.jsonl"));
}

/** Starts the server, which must fail. @returns the message of the problem */
async function problemOf(folder: string): Promise<string> {
  const problem = await OpenDisk.at(folder).catch((error: unknown) => error);
  expect(problem).toBeInstanceOf(Problem);
  return (problem as Problem).message;
}

function wayOut(folder: string): string {
  return (
    "without it this server could help to elect a second coordinator. " +
    `Move ${folder} away and start again: a new member fetches everything from the others. ` +
    "Then take the old name out: tertulia servers remove NAME."
  );
}

describe("promises.json", () => {
  test.each([
    { where: "in the journal", saved: false },
    { where: "in the saved state", saved: true },
  ])(
    "[R2] [E2] a server with events $where but without promises.json does not start, and its error names this file and what to do",
    async ({ saved }) => {
      await using parent = await memoryFolder();
      const folder = join(parent.path, "1");
      await fill(folder, { saved });
      const path = join(folder, "promises.json");
      rmSync(path);
      // The server never makes a new file, however often it starts.
      for (let start = 0; start < 2; start += 1) {
        expect(await problemOf(folder)).toBe(`${path} is gone: ${wayOut(folder)}`);
        expect(existsSync(path)).toBe(false);
      }
    },
  );

  const view = { number: 3, members: [serverName(1)] };
  test.each([
    { what: "cut short", text: '{"view":{"number":3,"mem' },
    { what: "empty", text: "" },
    { what: "without a view", text: "{}" },
    {
      what: "with a promise to nobody",
      text: JSON.stringify({ view, epoch: { view: 3, term: 1 } }),
    },
    {
      what: "with a term that is none",
      text: JSON.stringify({ view, epoch: { view: 3, term: -1, candidate: serverName(1) } }),
    },
  ])(
    "[R2] [E2] if promises.json is damaged ($what), a server does not start, but names the file and what to do",
    async ({ text }) => {
      await using parent = await memoryFolder();
      const folder = join(parent.path, "1");
      await fill(folder, { saved: false });
      const path = join(folder, "promises.json");
      writeFileSync(path, text);
      const told = await problemOf(folder);
      expect(told).toContain(`${path} is damaged (`);
      expect(told).toContain(`): ${wayOut(folder)}`);
      expect(readFileSync(path, "utf8")).toBe(text);
    },
  );

  test("[R2] a server starts in a new folder without promises.json, and its next start loads the promises that it saved", async () => {
    await using parent = await memoryFolder();
    const folder = join(parent.path, "1");
    mkdirSync(folder);
    const ballot = { epoch: { view: 3, term: 7 }, candidate: serverName(2) };
    const open = await OpenDisk.at(folder);
    expect(open.held).toEqual({});
    open.put(new EventMaker().many(serverName(1), 3));
    await open.disk.savePromise(ballot);
    await open.settled();
    await open.close();
    const again = await OpenDisk.at(folder);
    expect(again.core.promised).toEqual(ballot);
    expect(again.held).toEqual({ [serverName(1)]: 3 });
    await again.close();
  });

  test("[R2] a server writes promises.json before its first event, so it can start again after a crash before that event", async () => {
    await using parent = await memoryFolder();
    const folder = join(parent.path, "1");
    mkdirSync(folder);
    const open = await OpenDisk.at(folder);
    // The folder is like that of a process that was killed before it wrote any event.
    expect(existsSync(join(folder, "promises.json"))).toBe(true);
    await open.disk.close(undefined);
    const again = await OpenDisk.at(folder);
    expect(again.held).toEqual({});
    await again.close();
  });
});
