import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import type { ChatClient } from "../../src/client/chat-client.ts";
import type { LocalCluster } from "../../src/cluster/local-cluster.ts";
import type { Entry, Receipt } from "../../src/protocol/messages.ts";
import { until } from "../support/until.ts";

/** Publishes numbered messages, a few at a time, until it is told to stop. */
export class Writer {
  readonly acknowledged = new Map<string, Receipt>();
  attempted = 0;
  /** Logs a user in, creates the channel, and begins. */
  static async start(cluster: LocalCluster): Promise<Writer> {
    const client = cluster.client({ deadlineMs: 30_000 });
    await client.login("ana");
    await client.createChannel("geral");
    return new Writer(client, "geral");
  }

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
export async function equalFiles(cluster: LocalCluster): Promise<Entry[]> {
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
