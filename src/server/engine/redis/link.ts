import { Redis } from "ioredis";
import type { Log } from "../../../platform/log.ts";
import type { RedisConfig } from "../../config.ts";

/** The longest that anything waits for an answer, in milliseconds (K12). */
export const patienceMs = 100;
/** Milliseconds after which a try to connect is given up. */
const connectMs = 1_000;
/** The longest pause between two tries to connect, in milliseconds. */
const mostPauseMs = 1_000;

interface LinkOptions extends RedisConfig {
  readonly log: Log;
}

/**
 * Connections to a Redis that may be slow, vanish or lose everything at any moment. Nobody waits for
 * it longer than `patienceMs`. After a failure it is not asked again until it has answered the
 * greeting of a new connection.
 */
export class RedisLink {
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
  #isMissed = false;

  /** @param channel what this server listens to */
  constructor({ log, ...config }: LinkOptions, channel: string) {
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
    const late = new Late();
    try {
      const answer = await Promise.race([command(this.#commands), late.promise]);
      if (answer !== Late.sign) return answer as T;
      this.#lost(`no answer within ${patienceMs} ms`);
    } catch (error) {
      // A connection that failed has told so by an event. This may also be a Redis that has no memory
      // left or only reads; it may do the next command.
      this.#log.debug(`Redis has refused: ${messageOf(error as Error)}`);
    } finally {
      late[Symbol.dispose]();
    }
    return undefined;
  }

  close(): void {
    this.#isUp = false;
    this.#isMissed = true;
    for (const one of [this.#commands, this.#listener]) one.disconnect();
  }

  #found(): void {
    this.#isUp = true;
    if (this.#isMissed) this.#log.info({ event: "redisBack" }, "Redis answers again");
    this.#isMissed = false;
    this.onUp();
  }

  #lost(why: string): void {
    const wasUp = this.#isUp;
    this.#isUp = false;
    if (!this.#isMissed) {
      this.#isMissed = true;
      const text = `Redis is away, and this server goes on without it: ${why}`;
      this.#log.warn({ event: "redisLost" }, text);
    }
    // The connection may hang. A new one is ready when Redis has answered.
    if (wasUp) for (const one of [this.#commands, this.#listener]) one.disconnect(true);
  }
}

/** Resolves when the time for an answer is over. */
class Late implements Disposable {
  static readonly sign = Symbol("late");
  readonly promise: Promise<typeof Late.sign>;
  #timer: NodeJS.Timeout | undefined;

  constructor() {
    this.promise = new Promise((resolve) => {
      // This process itself may have been busy: an answer that has arrived meanwhile is read first.
      const judge = () => setImmediate(() => setImmediate(() => resolve(Late.sign)));
      this.#timer = setTimeout(judge, patienceMs);
    });
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}

function optionsOf({ address, password }: RedisConfig) {
  const { host, port, user, database, isEncrypted } = address;
  return {
    ...{ host, port, db: database, lazyConnect: true, connectTimeout: connectMs },
    // A connection that hangs is not ended politely.
    disconnectTimeout: patienceMs,
    ...(user !== undefined && { username: user }),
    ...(password !== undefined && { password }),
    ...(isEncrypted && { tls: {} }),
    ...({ protocol: 2, replyMapping: "legacy" } as const),
    // Also ends a greeting that nobody answers.
    commandTimeout: connectMs,
    retryStrategy: (tries: number) => Math.min(50 * tries, mostPauseMs),
    // What could not be asked at once is not asked later.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
  };
}

/** Only the message: such an error also has the command, which may have the password. */
function messageOf(error: Error & { readonly code?: string }): string {
  return error.message || (error.code ?? error.name);
}
