import { rmSync } from "node:fs";
import { afterEach, expect, test, vi } from "vitest";
import type { Child } from "../../src/cluster/child.ts";
import { LocalCluster, type LocalClusterOptions } from "../../src/trials/local-cluster.ts";
import { describeReplicas } from "../support/describe-replicas.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";
import { folderOf, journalOf, logOf } from "./folders.ts";
import { longText, stopEqual, Writer } from "./writer.ts";

const closing: (() => PromiseLike<unknown> | unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function start(options: LocalClusterOptions): Promise<LocalCluster> {
  const cluster = await LocalCluster.start({ logLevel: "info", ...options });
  closing.push(() => cluster.stop());
  return cluster;
}

describeReplicas(
  "a server that was down while its peers compacted their journals",
  {
    timeout: 120_000,
  },
  () => {
    test("[J1] [J3] [R4] [R8] under load, a server that lacks many events fetches a peer's saved state and then the events after it", async () => {
      const data = await temporaryFolder();
      closing.push(() => data[Symbol.asyncDispose]());
      // Few publications are kept, so that the saved state stays small while the journal grows.
      vi.stubEnv("TERTULIA_KEEP_PUBLICATIONS", "2000");
      closing.push(() => vi.unstubAllEnvs());
      {
        const cluster = await start({ data: data.path });
        const writer = await Writer.start(cluster, { channel: "antes" });
        await writer.progress(100);
        await writer.stop();
        await cluster.stop();
      }
      {
        const cluster = await start({ data: data.path, servers: 2 });
        const servers = cluster.of("server");
        const savesOf = (server: Child) => logOf(cluster, server).split("Saved the state").length;
        const before = servers.map(savesOf);
        const writer = await Writer.start(cluster, { lanes: 500, text: longText });
        const saved = () => servers.every((server, at) => savesOf(server) > (before[at] ?? 0));
        await until(saved, "64 MiB of journal, and the state was saved", 60_000);
        // The servers still accept writes after they have saved their states.
        await writer.progress(500);
        await writer.stop();
        await cluster.stop();
        // The servers themselves would remove these older files after 128 MiB more of journal.
        for (const server of servers) {
          for (const path of journalOf(folderOf(cluster, server)).slice(0, -1)) rmSync(path);
        }
      }
      const cluster = await start({ data: data.path });
      const servers = cluster.of("server");
      const fetched = () =>
        servers.filter((one) => logOf(cluster, one).includes("Has the saved state of"));
      expect(fetched()).toHaveLength(1);
      // A new server without any events joins.
      const writer = await Writer.start(cluster, { channel: "depois", text: " depois" });
      const late = await cluster.addServer();
      await writer.progress(200);
      await writer.stop();
      expect(logOf(cluster, late)).toContain("Has the saved state of");
      const entries = await stopEqual(cluster);
      const shown = new Set(entries.map(({ message }) => message));
      expect([...writer.acknowledged.keys()].filter((text) => !shown.has(text))).toEqual([]);
      const counts = new Map<unknown, number>();
      for (const { channel } of entries as { channel?: string }[]) {
        counts.set(channel, (counts.get(channel) ?? 0) + 1);
      }
      expect(counts.get("antes")).toBeGreaterThanOrEqual(100);
      expect(counts.get("geral")).toBeGreaterThanOrEqual(2_000);
    });
  },
);
