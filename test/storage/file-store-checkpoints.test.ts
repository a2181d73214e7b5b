import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { entryFiles } from "../../src/protocol/state-files.ts";
import {
  checkpointFiles,
  openCheckpoint,
  readCheckpoint,
  writeCheckpoint,
} from "../../src/storage/checkpoint.ts";
import { fetchSnapshot, type Place } from "../../src/storage/fetch-snapshot.ts";
import { EventMaker, serverName } from "../support/event-lines.ts";
import { markAt } from "../support/marks.ts";
import { makeMember, OpenDisk } from "../support/open-disk.ts";
import { memoryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";

const [own, peer] = [serverName(1), serverName(2)];
const unsignalled = new AbortController().signal;

/** Answers requests for pages of the saved state in a folder. */
function askOf(folder: string, onPage: (place: Place) => unknown = () => {}) {
  return async (place: Place) => {
    const bytes = readFileSync(join(folder, checkpointFiles[place.file] as string));
    await onPage(place);
    return { of: "a state", size: bytes.length, bytes: bytes.subarray(place.offset), clock: 1 };
  };
}

describe("a peer's saved state of another version", () => {
  test("[R8] a server drops a peer's saved state that it can't read, and starts without that state", async () => {
    await using parent = await memoryFolder();
    const [theirs, ours] = [join(parent.path, "theirs"), join(parent.path, "ours")];
    mkdirSync(theirs);
    await writeCheckpoint(theirs, {
      mark: markAt({ [peer]: 5 }),
      files: entryFiles.map((name) => ({ name, lines: ["[]\n"] })),
      rows: ['{"account":"ana"}'],
    });
    makeMember(ours);
    const open = await OpenDisk.at(ours);
    open.put(new EventMaker().many(own, 3));
    await open.settled();
    await open.disk.readyForState();
    await fetchSnapshot(ours, askOf(theirs), unsignalled);
    await open.reload();
    expect(open.errors).toEqual([expect.stringContaining("is not one of this version")]);
    expect(open.held).toEqual({ [own]: 3 });
    expect(existsSync(join(ours, "snapshot"))).toBe(false);
    // The server accepts another state afterwards.
    await open.disk.readyForState();
    await open.close();
    const again = await OpenDisk.at(ours);
    expect(again.held).toEqual({ [own]: 3 });
    expect(again.errors).toEqual([]);
    await again.close();
  });
});

describe("a saved state of an older version", () => {
  test("[J2] a server loads an older version's saved state, which lacks a file, and saves a complete state right away", async () => {
    await using folder = await memoryFolder();
    makeMember(folder.path);
    const open = await OpenDisk.at(folder.path);
    open.put(new EventMaker().many(own, 3));
    await open.close();
    await forgetFile(folder.path, "accounts.json");
    const again = await OpenDisk.at(folder.path);
    expect(again.errors).toEqual([]);
    expect(again.held).toEqual({ [own]: 3 });
    again.disk.checkpointIfDue(again.core);
    await until(
      // Not `openCheckpoint`, which would remove the files that are being written.
      () => readCheckpoint(folder.path).checkpoint?.hasAllFiles === true,
      "a state is saved",
    );
    await again.close();
  });
});

/** Rewrites the saved state as an older version would, which does not know the file `forgotten`. */
async function forgetFile(folder: string, forgotten: string): Promise<void> {
  const { checkpoint } = openCheckpoint(folder);
  if (checkpoint === undefined) throw new Error("no state was saved");
  const names = entryFiles.filter((name) => name !== forgotten);
  const files = names.map((name) => ({ name, lines: linesOf(readFileSync(join(folder, name))) }));
  await writeCheckpoint(folder, { mark: checkpoint.mark, files, rows: [...checkpoint.rows] });
  rmSync(join(folder, forgotten));
}

function linesOf(bytes: Buffer): string[] {
  return bytes.toString().split(/(?<=\n)/);
}

describe("saving the state", () => {
  test("[R11] a server stops, even if after the last flush of its journal a save of the state is due", async () => {
    await using folder = await memoryFolder();
    makeMember(folder.path);
    const open = await OpenDisk.at(folder.path, { checkpointBytes: 6_000 });
    open.put(new EventMaker().many(peer, 40));
    await open.close();
    const again = await OpenDisk.at(folder.path);
    expect(again.held).toEqual({ [peer]: 40 });
    await again.close();
  });

  test("[J1] after a save of a large state, the journal must grow by the size of that state before the next save", async () => {
    await using folder = await memoryFolder();
    makeMember(folder.path);
    const maker = new EventMaker();
    const open = await OpenDisk.at(folder.path, { checkpointBytes: 6_000 });
    const saves = () => open.infos.filter((text) => text === "Saved the state").length;
    const put = async (count: number) => {
      open.put(maker.many(own, count));
      await open.settled();
    };
    await put(500);
    await until(() => saves() === 1, "the large state is saved");
    // 250 lines of journal are many times `checkpointBytes`, but about half of the state.
    await put(250);
    expect(saves()).toBe(1);
    await put(500);
    await until(() => saves() === 2, "the state is saved again");
    await open.close();
  });

  test("[R8] a server that saves its own state does not remove a peer's state that arrives at the same time", async () => {
    await using parent = await memoryFolder();
    const [theirs, ours] = [join(parent.path, "theirs"), join(parent.path, "ours")];
    makeMember(theirs);
    makeMember(ours);
    const other = await OpenDisk.at(theirs);
    other.put(new EventMaker().many(peer, 5));
    await other.close();
    const maker = new EventMaker();
    const open = await OpenDisk.at(ours, { checkpointBytes: 1_000_000 });
    open.put(maker.many(own, 3_000));
    await open.settled();
    await open.disk.readyForState();
    // During the last page the journal exceeds `checkpointBytes`, so the server begins to save its
    // state.
    const last = checkpointFiles.length - 1;
    const ask = askOf(theirs, async ({ file }) => {
      if (file < last) return;
      open.put(maker.many(own, 2_000));
      await until(() => existsSync(join(ours, "journal", "00000002.jsonl")), "it has begun");
    });
    await fetchSnapshot(ours, ask, unsignalled);
    await until(() => open.infos.includes("Saved the state"), "the state is saved");
    expect(existsSync(join(ours, "snapshot"))).toBe(true);
    await open.reload();
    expect(open.held).toEqual({ [own]: 5_000, [peer]: 5 });
    expect([...open.failures, ...open.errors]).toEqual([]);
    await open.close();
  });
});
