import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import type { Session } from "../../src/client/session.ts";
import type { Receipt } from "../../src/protocol/client-messages.ts";
import { type ChannelName, parseChannelName, parseUserName } from "../../src/protocol/ids.ts";
import { limits } from "../../src/protocol/limits.ts";
import type { Entry } from "../../src/protocol/publications.ts";
import { checkpointFiles } from "../../src/storage/checkpoint.ts";
import type { LocalCluster } from "../../src/trials/local-cluster.ts";
import { saveJournals } from "../../src/trials/saved-states.ts";
import { until } from "../support/until.ts";

interface Load {
  /** How many messages are in transit at a time; 8 by default. */
  readonly lanes?: number;
  /** The text after the number of each message. */
  readonly text?: string;
  /** The name of the channel that the writer creates; "geral" by default. */
  readonly channel?: string;
}

/** The longest text that fits after the number of a message. */
export const longText = ` ${"x".repeat(limits.messageCharacters - 20)}`;

/** Publishes numbered messages, a few at a time, until `stop` is called. */
export class Writer {
  readonly acknowledged = new Map<string, Receipt>();
  attempted = 0;
  /** Logs a user in, creates the channel, and begins to publish. */
  static async start(cluster: LocalCluster, load: Load = {}): Promise<Writer> {
    const client = cluster.client({ deadlineMs: 30_000 });
    await client.login(parseUserName("ana"));
    const { channel = "geral" } = load;
    await client.createChannel(parseChannelName(channel));
    return new Writer(client, channel, load);
  }

  readonly #running: Promise<unknown>;
  #stopped = false;

  constructor(client: Session, channel: string, { lanes = 8, text: rest = "" }: Load = {}) {
    const lane = async () => {
      while (!this.#stopped) {
        this.attempted += 1;
        const text = `message ${this.attempted}${rest}`;
        this.acknowledged.set(text, await client.publish(parseChannelName(channel), text));
      }
    };
    this.#running = Promise.all(Array.from({ length: lanes }, lane));
    // `stop` throws the writer's error. A test that fails before it calls `stop` throws its own
    // error.
    this.#running.catch(() => {});
  }

  /** Resolves when `count` more messages have been acknowledged. */
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
  const text = await readFile(join(cluster.folder, "servers", slot, name), "utf8");
  if (name !== "checkpoint.json") return text;
  // A server of another version may write another format, and so other checksums of this file.
  const { format: _, lines: __, checksum: ___, ...content } = JSON.parse(text);
  return JSON.stringify(content);
}

/**
 * Waits until all servers report the same vector twice in a row. A server that hung may still turn
 * its waiting requests into events, which the other servers do not know yet.
 */
async function allEqual(cluster: LocalCluster): Promise<void> {
  const client = cluster.client();
  const servers = cluster.of("server").length;
  let before: string | undefined;
  const isEqual = async () => {
    const said = new Map<unknown, string>();
    // A broker gives requests to the servers in turn.
    for (let asked = 0; asked < 3 * servers && said.size < servers; asked += 1) {
      const { server, members } = await client.status();
      if (members.some(({ member, lag }) => member && lag !== 0)) return false;
      const own = members.find(({ name }) => name === server)?.durable ?? {};
      said.set(server, JSON.stringify(Object.entries(own).sort()));
    }
    const [first, ...others] = new Set(said.values());
    const isSettled = said.size === servers && others.length === 0 && first === before;
    before = first;
    return isSettled;
  };
  await until(isEqual, "all replicas say that they have the same", 30_000);
}

/** Reads a channel page by page. @returns its messages, of each page the oldest first */
export async function messagesIn(cluster: LocalCluster, channel: ChannelName): Promise<Entry[]> {
  const client = cluster.client({ deadlineMs: 30_000 });
  const found: Entry[] = [];
  let page = await client.history({ channel });
  for (;;) {
    found.push(...page.entries);
    const { next } = page;
    if (next === undefined) return found;
    page = await client.history({ channel }, { before: next });
  }
}

/**
 * Stops the cluster when all servers have the same events. A stop by itself waits only a limited
 * time for a server that is behind (R11).
 * @param comparable returns the part of a file that must be equal
 * @returns the publications of all replicas, whose files are equal; or those of the engine
 */
export async function stopEqual(
  cluster: LocalCluster,
  comparable = (text: string, _name: string) => text,
): Promise<Entry[]> {
  if (cluster.engine !== undefined) {
    const channels = await cluster.client({ deadlineMs: 30_000 }).channels();
    const found = await Promise.all(channels.map((channel) => messagesIn(cluster, channel)));
    await cluster.stop();
    return found.flat();
  }
  await allEqual(cluster);
  await cluster.stop();
  await saveJournals(cluster.folder, process.env);
  const slots = await readdir(join(cluster.folder, "servers"));
  for (const name of checkpointFiles) {
    const files = await Promise.all(slots.map((slot) => fileOf(cluster, slot, name)));
    const texts = files.map((text) => comparable(text, name));
    expect(new Set(texts).size, `${name} differs between replicas`).toBe(1);
  }
  return JSON.parse(await fileOf(cluster, slots[0] ?? "1", "publications.json")) as Entry[];
}

/**
 * Stops the cluster, and expects that all replicas are equal and have each acknowledged message
 * under one id. The files may have duplicates of a request, of which readers see only one (R6);
 * an engine has none (K2).
 */
export async function expectNothingLost(
  cluster: LocalCluster,
  { acknowledged }: { readonly acknowledged: { keys(): Iterable<string> } },
  comparable?: Parameters<typeof stopEqual>[1],
): Promise<void> {
  const entries = await stopEqual(cluster, comparable);
  const texts = new Set(entries.map(({ message }) => message));
  const ids = new Set(entries.map(({ id }) => id));
  expect(ids.size, "a message has two ids").toBe(texts.size);
  if (cluster.engine !== undefined) expect(entries, "an id is there twice").toHaveLength(ids.size);
  expect([...acknowledged.keys()].filter((text) => !texts.has(text))).toEqual([]);
}
