import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { noEpoch } from "../../src/protocol/epoch.ts";
import { emptyChain } from "../../src/protocol/ids.ts";
import { readCheckpoint, writeCheckpoint } from "../../src/storage/checkpoint.ts";
import { serverName } from "../support/event-lines.ts";
import { memoryFolder } from "../support/temporary-folder.ts";

/**
 * Paths of the files that were opened, to be read in pieces, and of the files that were read whole.
 */
const read = vi.hoisted(() => ({ opened: [] as string[], whole: [] as string[] }));

vi.mock("node:fs", async (original) => {
  const fs = await original<typeof import("node:fs")>();
  const readFileSync = (...args: Parameters<typeof fs.readFileSync>) => {
    read.whole.push(String(args[0]));
    return fs.readFileSync(...args);
  };
  const openSync = (...args: Parameters<typeof fs.openSync>) => {
    read.opened.push(String(args[0]));
    return fs.openSync(...args);
  };
  return { ...fs, default: fs, readFileSync, openSync };
});

test("[J1] a server writes a saved state without reading it back, and reads a saved state in pieces", async () => {
  await using folder = await memoryFolder();
  const server = serverName(1);
  const rows = Array.from({ length: 1_000 }, (_, seq) => `{"login":"ana","seq":${seq}}`);
  await writeCheckpoint(folder.path, {
    mark: {
      vector: { [server]: 1 },
      chains: { [server]: emptyChain },
      clock: 1,
      times: {},
      epoch: noEpoch,
    },
    files: [{ name: "users.json", lines: ["{}\n"] }],
    rows,
  });
  expect(read).toEqual({ opened: [], whole: [] });
  const { checkpoint } = readCheckpoint(folder.path);
  read.opened.length = 0;
  // Each iteration over the rows reads the file again.
  for (let time = 0; time < 2; time += 1) expect([...(checkpoint?.rows ?? [])]).toEqual(rows);
  const path = join(folder.path, "checkpoint.json");
  expect(read).toEqual({ opened: [path, path], whole: [] });
});
