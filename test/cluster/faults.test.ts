import { afterEach, describe, expect, test } from "vitest";
import { parseChannelName, parseUserName } from "../../src/protocol/ids.ts";
import type { Role } from "../../src/protocol/reference-messages.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { until } from "../support/until.ts";
import { expectNothingLost, stopEqual, Writer } from "./writer.ts";

const clusters: LocalCluster[] = [];

async function start(
  options: Parameters<typeof LocalCluster.start>[0] = {},
): Promise<LocalCluster> {
  const cluster = await LocalCluster.start(options);
  clusters.push(cluster);
  return cluster;
}

afterEach(async () => {
  for (const cluster of clusters.splice(0)) await cluster[Symbol.asyncDispose]();
});

describe("kill -9 of any one process under load", () => {
  const roles: readonly Role[] = ["server", "broker", "proxy", "reference"];
  test.for(roles)("[R2] [R5] [R6] %s: nothing acknowledged is lost or doubled", async (role) => {
    const cluster = await start();
    const writer = await Writer.start(cluster);
    await writer.progress(200);
    const [victim] = cluster.of(role);
    const back = victim?.nextReady();
    victim?.signal("SIGKILL");
    await back;
    await writer.progress(200);
    await writer.stop();
    const others = [...cluster.of("server"), ...cluster.of("broker"), ...cluster.of("proxy")];
    for (const child of others) expect(child.starts, child.label).toBe(child === victim ? 2 : 1);
    await expectNothingLost(cluster, writer);
  });
});

describe("two of each", () => {
  test("[C2] a dead broker and a dead proxy of two lose nothing", async () => {
    const cluster = await start({ brokers: 2, proxies: 2 });
    const writer = await Writer.start(cluster);
    const listener = cluster.client();
    const heard: string[] = [];
    await listener.subscribe({ channel: "geral" as never }, ({ message }) => heard.push(message), {
      since: {},
    });
    await writer.progress(100);
    cluster.of("broker")[0]?.signal("SIGSTOP");
    cluster.of("proxy")[1]?.signal("SIGSTOP");
    await writer.progress(500);
    cluster.of("broker")[0]?.signal("SIGCONT");
    cluster.of("proxy")[1]?.signal("SIGCONT");
    await writer.progress(100);
    await writer.stop();
    // The listener must hear every acknowledged message. Its history can't tell: a server may answer
    // that has not counted the last ones yet.
    const written = new Set(writer.acknowledged.keys());
    await until(() => new Set(heard).size >= written.size, "all were heard", 20_000);
    expect(heard.length, "a listener got a message twice").toBe(new Set(heard).size);
    expect(new Set(heard)).toEqual(written);
  });
});

describe("a server that starts late", () => {
  test("[R8] catches up with the events of the others, and serves them", async () => {
    const cluster = await start();
    const client = cluster.client();
    await client.login(parseUserName("ana"));
    await client.createChannel(parseChannelName("geral"));
    const texts = Array.from({ length: 3_000 }, (_, index) => `${index}`);
    await Promise.all(texts.map((text) => client.publish(parseChannelName("geral"), text)));
    const late = await cluster.addServer();
    await until(async () => {
      const page = await client.ask("history", {
        channel: parseChannelName("geral"),
        limit: 1_000,
      });
      return page.server === late.ready?.name && page.entries.length === 1_000;
    }, "the late server answers with what it caught up");
    const stored = await stopEqual(cluster);
    // The files have the duplicates of a request that was sent again (R6).
    expect(new Set(stored.map(({ message }) => message))).toEqual(new Set(texts));
    expect(new Set(stored.map(({ id }) => id)).size).toBe(texts.length);
  });
});
