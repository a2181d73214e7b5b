import { stat } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { LocalCluster } from "../../src/trials/local-cluster.ts";
import { type Link, linksBetween, type Relay } from "../../src/trials/relay.ts";
import { RelayedCluster } from "../../src/trials/relayed-cluster.ts";
import { describeReplicas } from "../support/describe-replicas.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";
import { stopEqual, Writer } from "./writer.ts";

const closing: (() => PromiseLike<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/**
 * Starts three servers. All their connections, including those between servers, pass through a
 * relay.
 */
async function start(): Promise<{ cluster: LocalCluster; relay: Relay }> {
  const folder = await temporaryFolder();
  closing.push(() => folder[Symbol.asyncDispose]());
  const relayed = await RelayedCluster.start({ servers: 3, folder: folder.path, logLevel: "warn" });
  closing.push(() => relayed[Symbol.asyncDispose]());
  return { cluster: relayed.local, relay: relayed.relay };
}

const target = "server 3";
const others = ["server 1", "server 2", "broker 1", "proxy 1", "reference 1"];
const links = linksBetween(target, others);
const out = links.filter(({ from }) => from === target);
const into = links.filter(({ to }) => to === target);

/** Bytes in the journal of server 3, which is cut off. */
async function journalBytes(cluster: LocalCluster): Promise<number> {
  const name = cluster.server(3).ready?.name;
  for (const slot of ["1", "2", "3"]) {
    const folder = join(cluster.folder, "servers", slot);
    const { name: found } = await import(join(folder, "identity.json"), { with: { type: "json" } });
    if (found === name) return (await stat(join(folder, "journal", "00000001.jsonl"))).size;
  }
  throw new Error(`${name} has no folder`);
}

const cuts: { name: string; links: Link[]; isReset: boolean; hears: boolean }[] = [
  { name: "in both directions", links, isReset: false, hears: false },
  { name: "it receives nothing", links: into, isReset: true, hears: false },
  // The server receives messages until the others miss its heartbeats and close their connections.
  { name: "it sends nothing", links: out, isReset: false, hears: true },
];

describeReplicas("one of three servers that is cut off under load", () => {
  test.for(cuts)(
    "[R5] [R8] while one server is cut off ($name), the other servers acknowledge writes, and no write is lost after this server is back",
    { timeout: 60_000 },
    async ({ links, isReset, hears }) => {
      const { cluster, relay } = await start();
      const writer = await Writer.start(cluster);
      await writer.progress(200);
      const cut = relay.cut(links);
      // Messages that were in transit at the cut arrive during these writes.
      await writer.progress(200);
      const before = await journalBytes(cluster);
      await writer.progress(1_000);
      if (!hears) expect(await journalBytes(cluster)).toBe(before);
      cut.heal({ reset: isReset });
      await until(
        async () => (await journalBytes(cluster)) > before,
        "it catches up with what it missed",
        20_000,
      );
      await writer.progress(200);
      await writer.stop();
      const seen = (await stopEqual(cluster)).map(({ id }) => id);
      const lost = [...writer.acknowledged.values()].filter(({ id }) => !seen.includes(id));
      expect(lost).toEqual([]);
    },
  );
});
