import { Redis, type RedisOptions } from "ioredis";
import type { Log } from "../../../platform/log.ts";
import type { RedisConfig } from "../../config.ts";
import { within } from "../within.ts";

/** The longest that anything waits for an answer, in milliseconds (K12). */
const answerMs = 100;
/** Milliseconds after which a try to connect is given up. */
const connectMs = 1_000;
/** The longest pause between two tries to connect, in milliseconds. */
const mostPauseMs = 1_000;

interface Parts extends RedisConfig {
  readonly log: Log;
}

/**
 * Connections to a Redis that may be slow, vanish or lose everything at any moment. Nobody waits for
 * it longer than `answerMs`. After a late answer or a lost connection it is not asked again until it
 * has answered the greeting of a new connection.
 */
export class RedisConnections {
  /** Called when Redis answers, at first and again: it may have lost everything. */
  onUp = (): void => {};
  /** Called with what servers say on the channel that this one listens to. */
  onHeard = (_text: string): void => {};
  readonly #log: Log;
  readonly #commands: Redis;
  /** A connection that has subscribed can do nothing else. */
  readonly #listener: Redis;
  #isUp = false;
  /** Whether the log says that Redis is away. */
  #isLoggedAsAway = false;
  /** Whether the log says that Redis refuses commands; forgotten once it is back. */
  #isLoggedAsRefusing = false;

  /** @param channel what this server listens to */
  constructor({ log, ...config }: Parts, channel: string) {
    this.#log = log;
    this.#commands = new Redis(optionsOf(config));
    this.#listener = new Redis(optionsOf(config));
    this.#commands.on("ready", () => this.#found());
    this.#commands.on("error", (error) => this.#lost(messageOf(error)));
    this.#commands.on("close", () => this.#lost("the connection has ended"));
    // The other connection has the same troubles, and one warning is enough.
    this.#listener.on("error", () => {});
    this.#listener.on("ready", () => void this.#listener.subscribe(channel).catch(() => {}));
    this.#listener.on("message", (_channel, text) => this.onHeard(text));
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  connect(): void {
    // A failure is an event, too.
    for (const one of [this.#commands, this.#listener]) one.connect().catch(() => {});
  }

  /** Returns the answer to a command; undefined if Redis is away, is slow or refuses. */
  async ask<T>(command: (redis: Redis) => Promise<T>): Promise<T | undefined> {
    if (!this.#isUp) return undefined;
    try {
      return await within(answerMs, command(this.#commands), () => new LateAnswer());
    } catch (error) {
      if (error instanceof LateAnswer) this.#lost(`no answer within ${answerMs} ms`);
      else this.#refused(error as Error);
      return undefined;
    }
  }

  close(): void {
    this.#isUp = false;
    // A stop is not logged as a loss.
    this.#isLoggedAsAway = true;
    for (const one of [this.#commands, this.#listener]) one.disconnect();
  }

  #found(): void {
    this.#isUp = true;
    if (this.#isLoggedAsAway) this.#log.info({ event: "redisBack" }, "Redis answers again");
    this.#isLoggedAsAway = false;
    this.#isLoggedAsRefusing = false;
    this.onUp();
  }

  /** Redis may have no memory left, or only read. It may do the next command. */
  #refused(error: Error): void {
    // A connection that failed has told so by an event.
    if (error.name !== "ReplyError") return;
    this.#log.debug(`Redis has refused: ${messageOf(error)}`);
    if (this.#isLoggedAsRefusing) return;
    this.#isLoggedAsRefusing = true;
    const text = `Redis answers but refuses commands, and this server goes on without what they do: ${messageOf(error)}`;
    this.#log.warn({ event: "redisRefuses" }, text);
  }

  #lost(why: string): void {
    const wasUp = this.#isUp;
    this.#isUp = false;
    if (!this.#isLoggedAsAway) {
      this.#isLoggedAsAway = true;
      const text = `Redis is away, and this server goes on without it: ${why}`;
      this.#log.warn({ event: "redisLost" }, text);
    }
    // The connection may hang. A new one is ready when Redis has answered.
    if (wasUp) for (const one of [this.#commands, this.#listener]) one.disconnect(true);
  }
}

class LateAnswer extends Error {}

function optionsOf({ address, password }: RedisConfig) {
  const { host, port, user, database, isEncrypted } = address;
  return {
    host,
    port,
    username: user,
    password,
    tls: isEncrypted ? {} : undefined,
    db: database,
    // Every version of Redis speaks RESP2, and nothing here needs a type that RESP3 adds.
    protocol: 2,
    lazyConnect: true,
    connectTimeout: connectMs,
    // A connection that hangs is not ended politely.
    disconnectTimeout: answerMs,
    // Also ends a greeting that nobody answers.
    commandTimeout: connectMs,
    retryStrategy: (tries: number) => Math.min(50 * tries, mostPauseMs),
    // What could not be asked at once is not asked later.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
  } satisfies RedisOptions;
}

/** Only the message: such an error also has the command, which may have the password. */
function messageOf(error: Error & { readonly code?: string }): string {
  return error.message || (error.code ?? error.name);
}
