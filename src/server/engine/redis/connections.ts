import { Redis, type RedisOptions } from "ioredis";
import { now } from "../../../platform/clock.ts";
import type { Log } from "../../../platform/log.ts";
import type { RedisConfig } from "../../config.ts";
import { within } from "../within.ts";

/** The longest that anything waits for an answer, in milliseconds (K12). */
const answerMs = 100;
/** Milliseconds after which a try to connect is given up. */
const connectMs = 1_000;
/** The longest pause between two tries to connect, in milliseconds. */
const mostPauseMs = 1_000;
/**
 * The first and the longest pause after a late answer or a refusal, in milliseconds. It doubles each
 * time, until Redis has answered well for `goodMs`.
 */
const restMs = { first: 1_000, most: 30_000 };
const goodMs = 10_000;

interface Parts extends RedisConfig {
  readonly log: Log;
}

/**
 * Connections to a Redis that may be slow, refuse, vanish or lose everything at any moment. Nobody
 * waits for it longer than `answerMs`. After a late answer, a refusal or a lost connection it is not
 * asked again until it has written and subscribed on new connections.
 */
export class RedisConnections {
  /** Called when Redis answers, at first and again: it may have lost everything. */
  onUp = (): void => {};
  /** Called with what servers say on the channel that this one listens to. */
  onHeard = (_text: string): void => {};
  readonly #log: Log;
  readonly #password: string | undefined;
  readonly #channel: string;
  readonly #commands: Redis;
  /** A connection that has subscribed can do nothing else. */
  readonly #listener: Redis;
  #isUp = false;
  /** Whether the log says that Redis is away. */
  #isLoggedAsAway = false;
  /** The last pause after a late answer or a refusal; 0 if Redis has answered well since. */
  #restMs = 0;
  /** Steady time until which Redis is left alone. */
  #restsUntilMs = 0;
  #goodTimer: NodeJS.Timeout | undefined;

  /** @param channel what this server listens to */
  constructor({ log, ...config }: Parts, channel: string) {
    this.#log = log;
    this.#password = config.password;
    this.#channel = channel;
    const options = {
      ...optionsOf(config),
      retryStrategy: (tries: number) => this.#pauseMs(tries),
    };
    this.#commands = new Redis(options);
    this.#listener = new Redis(options);
    for (const one of this.#both) {
      one.on("ready", () => void this.#greet());
      one.on("error", (error) => this.#lost(this.#messageOf(error)));
      one.on("close", () => this.#lost("the connection has ended"));
    }
    this.#listener.on("message", (_channel, text) => this.onHeard(text));
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  get #both(): readonly [Redis, Redis] {
    return [this.#commands, this.#listener];
  }

  connect(): void {
    // A failure is an event, too.
    for (const one of this.#both) one.connect().catch(() => {});
  }

  /** Returns the answer to a command; undefined if Redis is away, is slow or refuses. */
  async ask<T>(command: (redis: Redis) => Promise<T>): Promise<T | undefined> {
    return this.#isUp ? await this.#answerTo(() => command(this.#commands)) : undefined;
  }

  close(): void {
    this.#isUp = false;
    // A stop is not logged as a loss.
    this.#isLoggedAsAway = true;
    clearTimeout(this.#goodTimer);
    for (const one of this.#both) one.disconnect();
  }

  async #answerTo<T>(command: () => Promise<T>): Promise<T | undefined> {
    try {
      return await within(answerMs, command(), () => new LateAnswer());
    } catch (error) {
      const { name } = error as Error;
      if (error instanceof LateAnswer) this.#rest(`no answer within ${answerMs} ms`);
      // It may have no memory left, or only read. A connection that failed has told so by an event.
      else if (name === "ReplyError") this.#rest(`it refuses: ${this.#messageOf(error as Error)}`);
      return undefined;
    }
  }

  /** Tries whether Redis writes and lets this server listen, once both connections are ready. */
  async #greet(): Promise<void> {
    if (this.#both.some(({ status }) => status !== "ready")) return;
    const greeting = await this.#answerTo(() =>
      Promise.all([
        this.#commands.set(`${this.#channel}:greeting`, "", "PX", answerMs),
        this.#listener.subscribe(this.#channel),
      ]),
    );
    // Each connection that becomes ready greets.
    if (greeting === undefined || this.#isUp) return;
    this.#isUp = true;
    if (this.#restMs === 0) this.#trust();
    else this.#goodTimer = setTimeout(() => this.#trust(), goodMs);
    this.onUp();
  }

  #trust(): void {
    this.#restMs = 0;
    if (this.#isLoggedAsAway) this.#log.info({ event: "redisBack" }, "Redis answers again");
    this.#isLoggedAsAway = false;
  }

  /** Leaves Redis alone for a while, because new connections would have the same trouble. */
  #rest(why: string): void {
    const { steadyMs } = now();
    // Several commands may be late at once.
    if (steadyMs < this.#restsUntilMs) return;
    this.#restMs = Math.min(Math.max(2 * this.#restMs, restMs.first), restMs.most);
    this.#restsUntilMs = steadyMs + this.#restMs;
    this.#lost(why);
  }

  /** Returns the pause before the next try to connect. */
  #pauseMs(tries: number): number {
    return Math.max(Math.min(50 * tries, mostPauseMs), this.#restsUntilMs - now().steadyMs);
  }

  #lost(why: string): void {
    this.#isUp = false;
    clearTimeout(this.#goodTimer);
    if (!this.#isLoggedAsAway) {
      this.#isLoggedAsAway = true;
      const text = `Redis is away, and this server goes on without it: ${why}`;
      this.#log.warn({ event: "redisLost" }, text);
    }
    // A connection may hang, and neither is of use without the other.
    for (const one of this.#both) if (one.status === "ready") one.disconnect(true);
  }

  /**
   * Returns only the message, because such an error also has the command. Redis repeats arguments of
   * some commands in the message: it is cut before them, and the password is replaced.
   */
  #messageOf(error: Error & { readonly code?: string }): string {
    const text = error.message || (error.code ?? error.name);
    const [message = ""] = text.split(/,? with args beginning with/);
    return this.#password ? message.replaceAll(this.#password, "…") : message;
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
    // What could not be asked at once is not asked later.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
  } satisfies RedisOptions;
}
