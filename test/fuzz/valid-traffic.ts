import { setTimeout as pause } from "node:timers/promises";
import type { Session } from "../../src/client/session.ts";
import { parseUserName } from "../../src/protocol/ids.ts";
import type { Entry } from "../../src/protocol/publications.ts";
import type { LocalCluster } from "../../src/trials/local-cluster.ts";
import { until } from "../support/until.ts";
import { type Auth, channel, people } from "./corpus.ts";

const pauseMs = 100;

/**
 * The chat of two people during a run: one message every tenth of a second, to a channel or in
 * private.
 */
export class ValidTraffic {
  readonly client: Session;
  readonly listener: Session;
  /** The texts that were acknowledged; each text is sent once. */
  readonly published = new Set<string>();
  readonly messages = new Set<string>();
  readonly failures: string[] = [];
  /** The messages that the subscription to the channel delivered. */
  readonly heard: string[] = [];
  #isOver = false;
  #running: Promise<void> | undefined;

  static async start(cluster: LocalCluster, auth: Auth): Promise<ValidTraffic> {
    // The writer does not subscribe. In open mode anybody may publish, and a client that received a
    // forged publication would ask servers to cover it (R9).
    const writer = cluster.client({ proxies: [], deadlineMs: 30_000 });
    const listener = cluster.client({ deadlineMs: 30_000 });
    const password = auth === "required" ? people.ana : undefined;
    for (const client of [writer, listener]) await client.login(parseUserName("ana"), password);
    const traffic = new ValidTraffic(writer, listener);
    await listener.subscribe({ channel }, ({ message }) => traffic.heard.push(message));
    return traffic;
  }

  private constructor(client: Session, listener: Session) {
    this.client = client;
    this.listener = listener;
  }

  begin(): void {
    this.#running = this.#run();
  }

  async #run(): Promise<void> {
    const writes: Promise<void>[] = [];
    for (let number = 1; !this.#isOver; number += 1) {
      const text = `valid ${number}`;
      writes.push(number % 2 === 0 ? this.#publish(text) : this.#message(text));
      await pause(pauseMs);
    }
    await Promise.all(writes);
  }

  async #publish(text: string): Promise<void> {
    await this.#note(this.client.publish(channel, text), () => this.published.add(text));
  }

  async #message(text: string): Promise<void> {
    await this.#note(this.client.message(parseUserName("bia"), text), () =>
      this.messages.add(text),
    );
  }

  async #note(write: Promise<unknown>, done: () => void): Promise<void> {
    try {
      await write;
      done();
    } catch (error) {
      this.failures.push((error as Error).message);
    }
  }

  get acknowledged(): number {
    return this.published.size + this.messages.size;
  }

  /** Sends nothing more, and waits for all answers. */
  async end(): Promise<void> {
    this.#isOver = true;
    await this.#running;
  }

  /**
   * Waits until every acknowledged publication was received. @returns false if that takes too long
   */
  async isHeard(): Promise<boolean> {
    const all = () => this.heard.length >= this.published.size;
    return await until(all, "all is heard").then(
      () => true,
      () => false,
    );
  }

  /** Reads the channel and Ana's private messages, oldest first. */
  async read(): Promise<Entry[]> {
    const own = { user: "ana" as never };
    const both = await Promise.all([this.#history({ channel }), this.#history(own)]);
    return both.flat();
  }

  async #history(name: Parameters<Session["history"]>[0]): Promise<Entry[]> {
    const entries: Entry[] = [];
    for (let before: string | undefined; ; ) {
      const page = await this.client.history(name, { before, limit: 1_000 });
      entries.unshift(...page.entries);
      if (page.next === undefined) return entries;
      before = page.next;
    }
  }
}
