import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkpointFiles } from "../../src/storage/checkpoint.ts";
import { saveJournals } from "../../src/trials/saved-states.ts";
import { EventMaker, serverName } from "../support/event-lines.ts";
import { makeMember, OpenDisk } from "../support/open-disk.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const maker = new EventMaker();
const early = maker.many(serverName(1), 3);
const late = [...maker.many(serverName(2), 2), ...maker.many(serverName(1), 2)];

/** Makes the folder of a server that ran twice. @param saves whether each stop saved the state */
async function stopped(data: string, slot: string, saves: readonly boolean[]): Promise<string> {
  const folder = join(data, "servers", slot);
  makeMember(folder);
  writeFileSync(join(folder, "identity.json"), JSON.stringify({ name: serverName(1) }));
  for (const [at, hasTime] of saves.entries()) {
    const open = await OpenDisk.at(folder);
    open.put(at === 0 ? early : late);
    await open.settled();
    await open.disk.close(hasTime ? open.core : undefined);
  }
  return folder;
}

function filesOf(folder: string): string[] {
  return checkpointFiles.map((name) => readFileSync(join(folder, name), "utf8"));
}

test("[R4] [R11] saveJournals gives all replicas the same saved state, whether or not they saved before they stopped", async () => {
  await using data = await temporaryFolder();
  const saved = await stopped(data.path, "1", [true, true]);
  const before = filesOf(saved);
  const older = await stopped(data.path, "2", [true, false]);
  const never = await stopped(data.path, "3", [false, false]);
  expect(filesOf(older)).not.toEqual(before);
  await saveJournals(data.path, {});
  for (const folder of [saved, older, never]) expect(filesOf(folder)).toEqual(before);
  const open = await OpenDisk.at(older);
  expect(open.held).toEqual({ [serverName(1)]: 5, [serverName(2)]: 2 });
  await open.close();
});

test("[J5] saveJournals throws an error that names the damaged file, and changes no file", async () => {
  await using data = await temporaryFolder();
  const folder = await stopped(data.path, "1", [true, false]);
  const path = join(folder, "journal", "00000002.jsonl");
  const lines = readFileSync(path, "utf8").split("\n");
  writeFileSync(path, lines.toSpliced(2, 1, "rot").join("\n"));
  const before = filesOf(folder);
  await expect(saveJournals(data.path, {})).rejects.toThrow(`${path}:3`);
  expect(filesOf(folder)).toEqual(before);
});
