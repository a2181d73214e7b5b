import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { Child } from "../../src/cluster/child.ts";
import type { Receipt } from "../../src/protocol/client-messages.ts";
import { parseUserName } from "../../src/protocol/ids.ts";
import { checkpointFiles } from "../../src/storage/checkpoint.ts";
import { LocalCluster, type LocalClusterOptions } from "../../src/trials/local-cluster.ts";
import { saveJournals } from "../../src/trials/saved-states.ts";
import { describeReplicas } from "../support/describe-replicas.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";
import { damage, folderOf, journalOf, killAnd, logOf, syncedBytes } from "./folders.ts";
import { expectNothingLost, longText, Writer } from "./writer.ts";

const closing: (() => PromiseLike<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function start(options: LocalClusterOptions): Promise<LocalCluster> {
  const cluster = await LocalCluster.start(options);
  closing.push(() => cluster.stop());
  return cluster;
}

async function dataFolder(): Promise<string> {
  const folder = await temporaryFolder();
  closing.push(() => folder[Symbol.asyncDispose]());
  return folder.path;
}

/**
 * Kills a server, damages its folder with `rot`, and waits until the peers returned the lost
 * events.
 */
async function expectRepaired(
  cluster: LocalCluster,
  victim: Child,
  rot: (folder: string) => string,
): Promise<void> {
  const folder = folderOf(cluster, victim);
  const back = victim.nextReady();
  let place = "";
  await killAnd(victim, () => {
    place = rot(folder);
  });
  await back;
  expect(logOf(cluster, victim)).toContain(`${place} is damaged (`);
  expect(victim.ready?.name).toBe(
    JSON.parse(readFileSync(join(folder, "identity.json"), "utf8")).name,
  );
  await until(() => !existsSync(join(folder, "damaged")), "what was lost is there again");
  expect(readFileSync(join(folder, "promises.json"), "utf8")).not.toContain("owed");
}

/** Damages a journal file in the middle of the bytes that the last sync note covers. */
function rotInJournal(path: string): string {
  return damage(path, Math.floor(syncedBytes(path) / 2));
}

describeReplicas("a damaged file of one of three servers", { timeout: 90_000 }, () => {
  test("[J2] [J5] a server names a damaged journal or saved state in its log, and repairs it from its peers", async () => {
    const data = await dataFolder();
    const acknowledged = new Map<string, Receipt>();
    {
      const cluster = await start({ data });
      const writer = await Writer.start(cluster, { channel: "antes", text: " antes" });
      await writer.progress(300);
      await writer.stop();
      for (const [text, receipt] of writer.acknowledged) acknowledged.set(text, receipt);
      const client = cluster.client();
      await client.ask("message", {
        src: parseUserName("ana"),
        dst: parseUserName("ana"),
        message: "to myself",
      });
      await cluster.stop();
      await saveJournals(data, process.env);
    }
    const cluster = await start({ data });
    const writer = await Writer.start(cluster);
    await writer.progress(200);
    await expectRepaired(cluster, cluster.server(1), (folder) => {
      return rotInJournal(journalOf(folder).at(-1) as string);
    });
    for (const [index, name] of checkpointFiles.entries()) {
      await writer.progress(20);
      await expectRepaired(cluster, cluster.server(1 + ((index + 1) % 3)), (folder) => {
        // From the older journal files, the server could repair itself without its peers.
        for (const path of journalOf(folder).slice(0, -1)) rmSync(path);
        const path = join(folder, name);
        return damage(path, readFileSync(path).length >> 1);
      });
    }
    await writer.progress(100);
    await writer.stop();
    for (const [text, receipt] of writer.acknowledged) acknowledged.set(text, receipt);
    await expectNothingLost(cluster, { acknowledged });
  });

  test("[J2] [J5] a server names a damaged older journal file in its log, and repairs it from its peers", async () => {
    const cluster = await start({ data: await dataFolder() });
    const writer = await Writer.start(cluster, { lanes: 500, text: longText });
    const victim = cluster.server(2);
    const folder = folderOf(cluster, victim);
    await until(() => journalOf(folder).length > 1, "a second file is begun", 30_000);
    await writer.stop();
    const [sealed] = journalOf(folder);
    await expectRepaired(cluster, victim, () => damage(sealed as string, 10_000_000));
    await expectNothingLost(cluster, writer);
  });
});

describeReplicas("a damaged file of the only server", { timeout: 60_000 }, () => {
  test("[J5] a lone server with a damaged journal ends with a sentence on what to do, and starts after a restore", async () => {
    const data = await dataFolder();
    const cluster = await start({ data, servers: 1 });
    const writer = await Writer.start(cluster);
    await writer.progress(200);
    await writer.stop();
    const victim = cluster.server(1);
    const folder = folderOf(cluster, victim);
    const [path] = journalOf(folder) as [string];
    let whole = Buffer.alloc(0);
    let place = "";
    await killAnd(victim, () => {
      whole = readFileSync(path);
      place = rotInJournal(path);
    });
    const sentence =
      `tertulia: ${place} is damaged (the checksum does not match), and there is no other member: ` +
      `restore ${folder} from a backup; or move it away and start again`;
    await until(() => logOf(cluster, victim).includes(sentence), sentence, 20_000);
    const rotten = readFileSync(path);
    await until(() => victim.starts >= 3, "it is started again, and stops again", 20_000);
    expect(readFileSync(path).equals(rotten), "a damaged file is left as it is").toBe(true);
    await until(() => victim.pid === undefined, "it has stopped", 20_000);
    writeFileSync(path, whole);
    await victim.nextReady();
    await expectNothingLost(cluster, writer);
  });
});
