import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { Connection } from "../../src/client/connection.ts";
import { pages } from "../../src/client/pages.ts";
import type { Session } from "../../src/client/session.ts";
import { type ChannelName, parseChannelName, parseUserName } from "../../src/protocol/ids.ts";
import { until } from "../support/until.ts";

const python = "/usr/bin/python3";
const writer = parseUserName("ana");
/** The longest time without an acknowledgement that is still called progress, in ms. */
const progressMs = 120_000;

/** Tests the cluster against the original protocol. @returns how many checks hold */
export async function conformance(script: string, broker: string, proxy: string): Promise<string> {
  const args = [script, "--broker", broker, "--proxy", proxy, "--repeat", "3"];
  const { stdout } = await promisify(execFile)(python, args, { timeout: 300_000 });
  return stdout.trim().split("\n").at(-1) ?? "";
}

/** Publishes numbered messages one after another. */
export class SteadyWriter {
  readonly #broker: string;
  readonly #channel: ChannelName;
  readonly #acknowledged: string[] = [];
  readonly #connection: Connection;
  #longestMs = 0;
  #stopped = false;
  #running: Promise<void> = Promise.resolve();

  constructor(broker: string, channel: string) {
    this.#broker = broker;
    this.#channel = parseChannelName(channel);
    this.#connection = connect(broker);
  }

  /** Creates the channel, and begins to publish. */
  async start(): Promise<void> {
    const session = this.#connection.session();
    await session.login(writer);
    await session.createChannel(this.#channel);
    this.#running = this.#write(session);
    // `stop` throws the error.
    this.#running.catch(() => {});
  }

  /** Resolves when `count` more messages are acknowledged. @returns their longest wait */
  async progress(count: number): Promise<string> {
    this.#longestMs = 0;
    const goal = this.#acknowledged.length + count;
    await until(() => this.#acknowledged.length >= goal, `${count} more messages`, progressMs);
    return `the slowest took ${Math.round(this.#longestMs)} ms`;
  }

  async stop(): Promise<string> {
    this.#stopped = true;
    await this.#running;
    this.#connection.close();
    return `${this.#acknowledged.length} messages are acknowledged`;
  }

  /** Reads the whole channel. @throws Error if an acknowledged message is missing or doubled */
  async expectAll(): Promise<string> {
    using connection = connect(this.#broker);
    const session = connection.session({ user: writer });
    const counts = new Map<string, number>();
    for await (const { entries } of pages(session, { channel: this.#channel }, { since: {} })) {
      for (const { message } of entries) counts.set(message, (counts.get(message) ?? 0) + 1);
    }
    const wrong = this.#acknowledged.filter((text) => counts.get(text) !== 1);
    if (wrong.length > 0) throw new Error(`missing or doubled: ${wrong.slice(0, 10).join(", ")}`);
    return `${counts.size} messages`;
  }

  async #write(session: Session): Promise<void> {
    while (!this.#stopped) {
      const text = `message ${this.#acknowledged.length + 1}`;
      const begun = performance.now();
      await session.publish(this.#channel, text);
      this.#longestMs = Math.max(this.#longestMs, performance.now() - begun);
      this.#acknowledged.push(text);
    }
  }
}

function connect(broker: string): Connection {
  return new Connection({ brokers: [broker], proxies: [], deadlineMs: progressMs });
}
