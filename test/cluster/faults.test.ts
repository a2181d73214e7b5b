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
  test.for(roles)(
    "[R2] [R5] [R6] no acknowledged write is lost or doubled when a %s is killed under load",
    async (role) => {
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
    },
  );
});

describe("two brokers and two proxies", () => {
  test("[C2] a client hears each acknowledged message once while one of two brokers and one of two proxies hang", async () => {
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
    // The listener must receive every acknowledged message. Reading the history would be no check,
    // because the server that answers may not know yet that the last messages are committed.
    const written = new Set(writer.acknowledged.keys());
    await until(() => new Set(heard).size >= written.size, "all were heard", 20_000);
    expect(heard.length, "a listener got a message twice").toBe(new Set(heard).size);
    expect(new Set(heard)).toEqual(written);
  });
});

describe("a server that starts late", () => {
  test("[R8] a server that joins a running cluster fetches the other servers' events, and answers clients with these events", async () => {
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
    // The stored events include duplicates of requests that were sent again (R6).
    expect(new Set(stored.map(({ message }) => message))).toEqual(new Set(texts));
    expect(new Set(stored.map(({ id }) => id)).size).toBe(texts.length);
  });
});
