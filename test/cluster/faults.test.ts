import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { ChatClient } from "../../src/client/chat-client.ts";
import { LocalCluster } from "../../src/cluster/local-cluster.ts";
import type { Entry, Receipt, Role } from "../../src/protocol/messages.ts";
import { until } from "../support/until.ts";

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

/** Publishes numbered messages, a few at a time, until it is told to stop. */
class Writer {
  readonly acknowledged = new Map<string, Receipt>();
  attempted = 0;
  readonly #running: Promise<unknown>;
  #stopped = false;

  constructor(client: ChatClient, channel: string) {
    const lane = async () => {
      while (!this.#stopped) {
        this.attempted += 1;
        const text = `message ${this.attempted}`;
        this.acknowledged.set(text, await client.publish("ana", channel, text));
      }
    };
    this.#running = Promise.all(Array.from({ length: 8 }, lane));
  }

  /** Resolves when `count` more messages have been acknowledged from now on. */
  async progress(count: number): Promise<void> {
    const goal = this.acknowledged.size + count;
    await until(() => this.acknowledged.size >= goal, `${count} more acknowledged`, 30_000);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }
}

async function fileOf(cluster: LocalCluster, slot: string, name: string): Promise<string> {
  return readFile(join(cluster.folder, "servers", slot, name), "utf8");
}

/** Every replica's publications, after all files were found equal byte for byte. */
async function equalFiles(cluster: LocalCluster): Promise<Entry[]> {
  const slots = await readdir(join(cluster.folder, "servers"));
  const names = [
    "users.json",
    "channels.json",
    "messages.json",
    "publications.json",
    "checkpoint.json",
  ];
  for (const name of names) {
    const texts = await Promise.all(slots.map((slot) => fileOf(cluster, slot, name)));
    expect(new Set(texts).size, `${name} differs between replicas`).toBe(1);
  }
  return JSON.parse(await fileOf(cluster, slots[0] ?? "1", "publications.json")) as Entry[];
}

async function writing(cluster: LocalCluster): Promise<Writer> {
  const client = cluster.client({ deadlineMs: 30_000 });
  await client.login("ana");
  await client.createChannel("geral");
  return new Writer(client, "geral");
}

describe("kill -9 of any one process under load", () => {
  const roles: readonly Role[] = ["server", "broker", "proxy", "reference"];
  test.for(roles)("[R2] [R5] [R6] %s: nothing acknowledged is lost or doubled", async (role) => {
    const cluster = await start();
    const writer = await writing(cluster);
    await writer.progress(200);
    const [victim] = cluster.of(role);
    const back = victim?.nextReady();
    victim?.signal("SIGKILL");
    await back;
    await writer.progress(200);
    await writer.stop();
    const others = [...cluster.of("server"), ...cluster.of("broker"), ...cluster.of("proxy")];
    for (const child of others) expect(child.starts, child.label).toBe(child === victim ? 2 : 1);
    await cluster.stop();
    const seen = (await equalFiles(cluster)).map(({ message }) => message);
    expect(new Set(seen).size, "a message is doubled").toBe(seen.length);
    const lost = [...writer.acknowledged.keys()].filter((text) => !seen.includes(text));
    expect(lost).toEqual([]);
  });
});

describe("two of each", () => {
  test("[C2] one dead broker and one dead proxy out of two cost nothing", async () => {
    const cluster = await start({ brokers: 2, proxies: 2 });
    const writer = await writing(cluster);
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
    // What was acknowledged to the writer is what the listener must hear: its own history may be
    // answered by a server that has yet to count the last of it.
    const written = new Set(writer.acknowledged.keys());
    await until(() => new Set(heard).size >= written.size, "all were heard", 20_000);
    expect(heard.length, "a listener got a message twice").toBe(new Set(heard).size);
    expect(new Set(heard)).toEqual(written);
  });
});

describe("a server that starts late", () => {
  test("[R8] catches up with what the others hold, and serves it", async () => {
    const cluster = await start();
    const client = cluster.client();
    await client.login("ana");
    await client.createChannel("geral");
    const texts = Array.from({ length: 3_000 }, (_, index) => `${index}`);
    await Promise.all(texts.map((text) => client.publish("ana", "geral", text)));
    const late = await cluster.addServer();
    await until(async () => {
      const page = await client.ask("history", { channel: "geral", limit: 1_000 });
      return page.server === late.ready?.name && (page.entries as Entry[]).length === 1_000;
    }, "the late server answers with what it caught up");
    await cluster.stop();
    const stored = await equalFiles(cluster);
    expect(stored.map(({ message }) => message).sort()).toEqual([...texts].sort());
  });
});
