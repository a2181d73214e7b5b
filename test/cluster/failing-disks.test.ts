import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { LocalCluster, type LocalClusterOptions } from "../../src/trials/local-cluster.ts";
import { describeReplicas } from "../support/describe-replicas.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";
import { folderOf, logOf } from "./folders.ts";
import { expectNothingLost, longText, Writer } from "./writer.ts";

const closing: (() => PromiseLike<unknown> | unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function start(options: LocalClusterOptions = {}): Promise<LocalCluster> {
  const cluster = await LocalCluster.start(options);
  closing.push(() => cluster.stop());
  return cluster;
}

describeReplicas("servers on a failing disk", { timeout: 60_000 }, () => {
  let built: TemporaryFolder;
  let library: string | undefined;
  /** The folder of the files that say for which process which call fails. */
  let faults: TemporaryFolder;

  beforeAll(async () => {
    built = await temporaryFolder();
    const source = fileURLToPath(new URL("../support/failing-disk.c", import.meta.url));
    const output = join(built.path, "failing-disk.so");
    try {
      execFileSync("cc", ["-shared", "-fPIC", "-O1", "-o", output, source, "-ldl"]);
      library = output;
    } catch {
      // Without a C compiler or Linux, these tests are skipped.
    }
  });

  afterAll(() => built[Symbol.asyncDispose]());

  beforeEach(async (context) => {
    if (library === undefined) return context.skip("needs Linux and a C compiler");
    faults = await temporaryFolder();
    closing.push(() => faults[Symbol.asyncDispose]());
    vi.stubEnv("LD_PRELOAD", library);
    vi.stubEnv("FAILING_DISK", faults.path);
    closing.push(() => vi.unstubAllEnvs());
  });

  const failures = [
    { call: "sync", code: "EIO" },
    { call: "write", code: "ENOSPC" },
  ];

  test.for(failures)(
    "[R2] [R5] one of three servers ends when a disk $call fails, and no acknowledged write is lost",
    async ({ call, code }) => {
      const data = await temporaryFolder();
      closing.push(() => data[Symbol.asyncDispose]());
      const cluster = await start({ data: data.path });
      const writer = await Writer.start(cluster);
      await writer.progress(100);
      const victim = cluster.server(2);
      const back = victim.nextReady();
      const { pid } = victim;
      writeFileSync(join(faults.path, `${pid}.${call}`), "");
      await until(() => victim.pid !== pid, "the process is gone", 5_000);
      expect(logOf(cluster, victim)).toContain("can't be written");
      expect(logOf(cluster, victim)).toContain(code);
      await back;
      await writer.progress(200);
      await writer.stop();
      expect(cluster.of("server").map(({ starts }) => starts)).toEqual([1, 2, 1]);
      await expectNothingLost(cluster, writer);
    },
  );

  test.for(failures)(
    "[R2] [R3] a lone server acknowledges no write while every disk $call fails",
    async ({ call, code }) => {
      const data = await temporaryFolder();
      closing.push(() => data[Symbol.asyncDispose]());
      const cluster = await start({ data: data.path, servers: 1 });
      const writer = await Writer.start(cluster);
      await writer.progress(100);
      const victim = cluster.server(1);
      const { pid } = victim;
      writeFileSync(join(faults.path, `all.${call}`), "");
      await until(() => victim.pid !== pid, "the process is gone", 5_000);
      const { size } = writer.acknowledged;
      // The server is restarted twice, and each start fails.
      await until(() => victim.starts >= 3, "it was started twice more");
      expect(writer.acknowledged.size).toBe(size);
      expect(logOf(cluster, victim)).toContain(code);
      rmSync(join(faults.path, `all.${call}`));
      await writer.progress(100);
      await writer.stop();
      await expectNothingLost(cluster, writer);
    },
  );
});

describeReplicas("servers on a full disk", { timeout: 60_000 }, () => {
  /** Mounts a small disk at `path`. @returns whether this process is allowed to mount */
  function mountSmall(path: string): boolean {
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", path], { stdio: "ignore" });
    } catch {
      return false;
    }
    closing.push(() => execFileSync("umount", [path]));
    return true;
  }

  test("[R2] [R5] one of three servers ends and logs why when its disk is full; restarted with space, it catches up", async (context) => {
    const data = await temporaryFolder();
    closing.push(() => data[Symbol.asyncDispose]());
    const slot = join(data.path, "servers", "2");
    mkdirSync(slot, { recursive: true });
    if (!mountSmall(slot)) return context.skip("needs Linux, and root to mount a small disk");
    const cluster = await start({ data: data.path });
    const victim = cluster.of("server").find((server) => folderOf(cluster, server) === slot);
    if (victim === undefined) throw new Error("no server is on the small disk");
    const writer = await Writer.start(cluster, { text: longText });
    await until(() => victim.starts > 1, "it has ended", 20_000);
    expect(logOf(cluster, victim)).toContain("The disk is full: free some space.");
    // The other servers acknowledge writes while the server on the full disk starts and fails again
    // and again.
    await writer.progress(300);
    execFileSync("mount", ["-o", "remount,size=500m", slot]);
    await victim.nextReady();
    await writer.progress(100);
    await writer.stop();
    await expectNothingLost(cluster, writer);
  });
});
