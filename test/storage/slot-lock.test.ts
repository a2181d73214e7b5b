import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { Problem } from "../../src/platform/problem.ts";
import { lockFolder, lockFolderOrFail, takeSlot } from "../../src/storage/slot-lock.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";

const script = fileURLToPath(new URL("../support/hold-slot.ts", import.meta.url));

/** Starts another process that holds a slot of the folder. */
async function holder(
  parent: string,
): Promise<{ slot: string; child: ChildProcess } & AsyncDisposable> {
  const child = spawn(process.execPath, ["--import", "tsx", script, parent], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(child.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
  return {
    slot: line.toString().trim(),
    child,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

describe("slots", () => {
  test("[J4] two processes take two slots, and kill -9 frees a slot for the next process", async () => {
    await using folder = await temporaryFolder();
    await using first = await holder(folder.path);
    await using second = await holder(folder.path);
    expect([first.slot, second.slot]).toEqual([join(folder.path, "1"), join(folder.path, "2")]);
    expect(lockFolder(first.slot)).toBeUndefined();
    expect(() => lockFolderOrFail(first.slot)).toThrow(Problem);
    expect(() => lockFolderOrFail(first.slot)).toThrow(first.slot);
    {
      using third = await takeSlot(folder.path);
      expect(third.folder).toBe(join(folder.path, "3"));
    }
    first.child.kill("SIGKILL");
    await once(first.child, "exit");
    let freed: ReturnType<typeof lockFolder>;
    await until(() => {
      freed = lockFolder(first.slot);
      return freed !== undefined;
    }, "the kernel frees the lock");
    freed?.[Symbol.dispose]();
    using next = await takeSlot(folder.path);
    expect(next.folder).toBe(first.slot);
  });

  test("[J4] a process takes an existing slot, the one with the lowest priority value, before it makes a new slot", async () => {
    await using folder = await temporaryFolder();
    for (const name of ["2", "10", "3", "notes"]) await mkdir(join(folder.path, name));
    const priority = async (path: string) => (path.endsWith("10") ? 0 : 1);
    using first = await takeSlot(folder.path, priority);
    expect(first.folder).toBe(join(folder.path, "10"));
  });

  test("[J4] a released slot can be taken again", async () => {
    await using folder = await temporaryFolder();
    for (let round = 0; round < 3; round += 1) {
      using slot = await takeSlot(folder.path);
      expect(slot.folder).toBe(join(folder.path, "1"));
    }
  });

  test("a folder that can't be used causes a problem that names the folder", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "file");
    await writeFile(path, "");
    expect(() => lockFolder(path)).toThrow(Problem);
    await expect(takeSlot(path)).rejects.toThrow(path);
  });
});
