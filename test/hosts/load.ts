import { Connection, type ConnectionOptions } from "../../src/client/connection.ts";
import { pages } from "../../src/client/pages.ts";
import type { Session } from "../../src/client/session.ts";
import { pause } from "../../src/platform/clock.ts";
import { parseChannelName, parseUserName } from "../../src/protocol/ids.ts";
import { until } from "../support/until.ts";

const user = parseUserName("carga");
const password = "the long password of carga";
const channel = parseChannelName("carga");
const everyMs = 50;
const patienceMs = 60_000;

/** What happened since the last look. */
export interface Period {
  sent: number;
  answered: number;
  failed: number;
  /** The longest time from a message to its receipt, in ms. */
  slowestMs: number;
}

const empty = (): Period => ({ sent: 0, answered: 0, failed: 0, slowestMs: 0 });

/** A person's program that publishes 20 messages a second, and hears them. */
export class Load {
  readonly acknowledged = new Set<string>();
  /** Messages whose request failed. */
  readonly failed = new Set<string>();
  /** How often the listener has heard each message. */
  readonly #heard = new Map<string, number>();
  readonly #over = new AbortController();
  readonly #connection: Connection;
  readonly #session: Session;
  #period = empty();
  #running: Promise<unknown> = Promise.resolve();

  private constructor(options: ConnectionOptions) {
    this.#connection = new Connection(options);
    this.#session = this.#connection.session();
  }

  static async start(options: ConnectionOptions): Promise<Load> {
    const load = new Load(options);
    const session = load.#session;
    await session.register(user, password);
    await session.login(user, password);
    await session.createChannel(channel);
    const hear = ({ message }: { message: string }) => count(load.#heard, message);
    await session.subscribe({ channel }, hear, { since: {} });
    load.#running = load.#write();
    return load;
  }

  /** Returns what became of the messages since the last call. */
  async take(): Promise<Period> {
    const period = this.#period;
    this.#period = empty();
    await until(() => period.answered === period.sent, "all is answered", patienceMs);
    return period;
  }

  /** Stops writing, and waits until the listener has heard all. @returns texts that it lacks */
  async stop(): Promise<string[]> {
    this.#over.abort();
    await this.#running;
    const missing = () => [...this.acknowledged].filter((text) => !this.#heard.has(text));
    await until(() => missing().length === 0, "all is heard", patienceMs).catch(() => {});
    return missing();
  }

  /** Returns the messages that the listener heard twice. */
  get heardTwice(): string[] {
    return [...this.#heard].filter(([, times]) => times > 1).map(([text]) => text);
  }

  /** Returns how often each message is in the history, as a person reads it. */
  async history(): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    for await (const { entries } of pages(this.#session, { channel }, { since: {} })) {
      for (const { message } of entries) count(counts, message);
    }
    return counts;
  }

  close(): void {
    this.#connection.close();
  }

  async #write(): Promise<void> {
    const open = new Set<Promise<void>>();
    let dueMs = performance.now();
    for (let number = 1; !this.#over.signal.aborted; number += 1) {
      const sent = this.#publish(`message ${number}`).finally(() => open.delete(sent));
      open.add(sent);
      dueMs += everyMs;
      await pause(Math.max(0, dueMs - performance.now()), this.#over.signal);
    }
    await Promise.all(open);
  }

  async #publish(text: string): Promise<void> {
    const begun = performance.now();
    const period = this.#period;
    period.sent += 1;
    try {
      await this.#session.publish(channel, text);
      this.acknowledged.add(text);
      period.slowestMs = Math.max(period.slowestMs, performance.now() - begun);
    } catch {
      this.failed.add(text);
      period.failed += 1;
    } finally {
      period.answered += 1;
    }
  }
}

function count(counts: Map<string, number>, text: string): void {
  counts.set(text, (counts.get(text) ?? 0) + 1);
}
