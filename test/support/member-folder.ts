import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { EventLine } from "../../src/protocol/event.ts";
import { checkpointFiles } from "../../src/storage/checkpoint.ts";
import { EventMaker, serverName } from "./event-lines.ts";
import { flipped, lineOf } from "./journal-files.ts";
import { makeMember, OpenDisk } from "./open-disk.ts";

export const [own, peer] = [serverName(1), serverName(2)];

interface Contents {
  /** The events in the journal before the state was saved, and after it. */
  readonly before: readonly EventLine[];
  readonly after: readonly EventLine[];
}

/**
 * Fills the folder of a member of three servers: a saved state and the journal after it. The
 * journal before the state is removed, unless `keepsOlder`.
 */
export async function fill(
  folder: string,
  { members = [1, 2, 3].map(serverName), keepsOlder = false } = {},
): Promise<Contents> {
  const maker = new EventMaker();
  const before = [...maker.many(own, 3), ...maker.many(peer, 2)];
  const after = [...maker.many(peer, 2), ...maker.many(own, 2)];
  makeMember(folder, members);
  const write = async (lines: readonly EventLine[], clock: number) => {
    const open = await OpenDisk.at(folder);
    open.clock.receive(clock);
    open.put(lines);
    return open;
  };
  const first = await write(before, 100);
  await first.close();
  const second = await write(after, 900);
  await second.disk.close(undefined);
  if (!keepsOlder) rmSync(join(folder, "journal", "00000001.jsonl"));
  return { before, after };
}

/** Damages a byte in the middle of a file. @returns its place, as the log names it */
export function damage(folder: string, name: string): string {
  const path = join(folder, name);
  const bytes = readFileSync(path);
  const at = bytes.length >> 1;
  writeFileSync(path, flipped(bytes, at, 1));
  return `${path}:${lineOf(bytes, at)} is damaged`;
}

export const journalFile = "journal/00000002.jsonl";
export const damageable = [...checkpointFiles, journalFile];
