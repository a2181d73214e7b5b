import { cpSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { EventMaker, serverName } from "../support/event-lines.ts";
import { makeMember, OpenDisk } from "../support/open-disk.ts";
import { memoryFolder } from "../support/temporary-folder.ts";

/** The folders that were synced, in order. */
const synced = vi.hoisted((): string[] => []);

vi.mock("node:fs/promises", async (original) => {
  const fs = await original<typeof import("node:fs/promises")>();
  const open = async (...args: Parameters<typeof fs.open>) => {
    const file = await fs.open(...args);
    const sync = file.sync.bind(file);
    file.sync = () => {
      synced.push(String(args[0]));
      return sync();
    };
    return file;
  };
  return { ...fs, default: fs, open };
});

test("[R2] a starting server syncs every folder whose file names it relies on, because an earlier process may have died before that sync", async () => {
  await using parent = await memoryFolder();
  const [slots, theirs] = [join(parent.path, "servers"), join(parent.path, "theirs")];
  const slot = join(slots, "1");
  mkdirSync(slots);
  for (const folder of [slot, theirs]) {
    makeMember(folder);
    const open = await OpenDisk.at(folder);
    open.put(new EventMaker().many(serverName(2), 5));
    await open.close();
  }
  // These are the files of a process that was killed between a rename and the sync of the folder.
  cpSync(theirs, join(slot, "snapshot"), { recursive: true });
  rmSync(join(slot, "snapshot", "journal"), { recursive: true });
  synced.length = 0;
  const open = await OpenDisk.at(slot);
  expect(synced).toEqual(
    expect.arrayContaining([slots, slot, join(slot, "journal"), join(slot, "snapshot")]),
  );
  await open.close();
});
