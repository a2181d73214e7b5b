import { pause } from "../../platform/clock.ts";
import { type Postgres, type PostgresNode, startPostgres } from "../postgres.ts";
import { hasRedis, TrialRedis } from "../redis.ts";
import { theRedis } from "./core/fault-plan.ts";
import type { Target } from "./fault-performer.ts";

/** Milliseconds for which a killed server of the engine is down, and a lost primary has no heir. */
const downMs = 500;

/**
 * The engine of a trial's cluster: a PostgreSQL of its own, with a synchronous standby, and a Redis
 * if that is installed.
 */
export class ChaosDatabase implements AsyncDisposable {
  readonly targets: readonly DatabaseTarget[];
  readonly redis: RedisTarget | undefined;
  /** The address of a database, as the setting `engine` expects it. */
  readonly url: string;
  readonly #postgres: Postgres;
  /** Changes of the servers, one after the other. */
  #changes: Promise<void> = Promise.resolve();
  #open = 0;

  private constructor(postgres: Postgres, url: string, redis?: TrialRedis) {
    this.#postgres = postgres;
    this.url = url;
    this.redis = redis && new RedisTarget(redis);
    this.targets = postgres.nodes.map((node, at) => new DatabaseTarget(this, node, at + 1));
  }

  static async start(): Promise<ChaosDatabase> {
    const settings = { max_connections: "200", wal_retrieve_retry_interval: "200ms" };
    const postgres = await startPostgres({ standby: true, settings });
    try {
      const url = await postgres.createDatabase();
      return new ChaosDatabase(postgres, url, hasRedis ? await TrialRedis.open() : undefined);
    } catch (error) {
      await postgres[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The label of the primary; undefined while a server is down, or there is no standby yet. */
  get primary(): string | undefined {
    return this.#labelOf(this.#postgres.primary);
  }

  get standby(): string | undefined {
    return this.#labelOf(this.#postgres.standby);
  }

  /** Kills the primary, promotes the standby, and makes the killed one a new standby. */
  promote(): { readonly promoted: Promise<void> } {
    let tell = () => {};
    const promoted = new Promise<void>((resolve) => {
      tell = resolve;
    });
    this.#change(async () => {
      await this.#postgres.kill();
      await pause(downMs);
      await this.#postgres.promote();
      tell();
      await this.#postgres.addStandby();
    });
    return { promoted };
  }

  /** Kills a server, and starts it again. */
  restart(node: PostgresNode): void {
    this.#change(async () => {
      await node.kill();
      await pause(downMs);
      await node.start();
      await this.#postgres.untilStandbyConfirms();
    });
  }

  /** Resolves when the primary has its standby. @throws whatever went wrong with them */
  async settled(): Promise<void> {
    await this.#changes;
    await this.redis?.nextReady();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#changes.catch(() => {});
    await this.redis?.[Symbol.asyncDispose]();
    await this.#postgres[Symbol.asyncDispose]();
  }

  #labelOf(node: PostgresNode): string | undefined {
    const isSettled = this.#open === 0;
    return isSettled ? this.targets.find((target) => target.node === node)?.label : undefined;
  }

  #change(change: () => Promise<void>): void {
    this.#open += 1;
    this.#changes = this.#changes.then(change).then(() => {
      this.#open -= 1;
    });
    // `settled` tells it.
    this.#changes.catch(() => {});
  }
}

/** A server of the engine, as faults see it. */
export class DatabaseTarget implements Target {
  readonly role = "database";
  readonly label: string;
  readonly node: PostgresNode;
  readonly #database: ChaosDatabase;

  constructor(database: ChaosDatabase, node: PostgresNode, number: number) {
    this.#database = database;
    this.node = node;
    this.label = `postgres ${number}`;
  }

  get endpoint(): string {
    return `tcp://127.0.0.1:${this.node.port}`;
  }

  get pid(): number | undefined {
    return this.node.pid;
  }

  signal(signal: NodeJS.Signals): void {
    if (signal === "SIGKILL") this.#database.restart(this.node);
    else this.node.signal(signal);
  }

  async nextReady(): Promise<void> {
    await this.#database.settled();
  }
}

/** The Redis beside the engine, as faults see it. A killed one comes back empty. */
class RedisTarget implements Target, AsyncDisposable {
  readonly role = "redis";
  readonly label = theRedis;
  readonly endpoint: string;
  readonly #redis: TrialRedis;
  #changes: Promise<void> = Promise.resolve();

  constructor(redis: TrialRedis) {
    this.#redis = redis;
    this.endpoint = `tcp://127.0.0.1:${redis.port}`;
  }

  get pid(): number | undefined {
    return this.#redis.pid;
  }

  signal(signal: NodeJS.Signals): void {
    if (signal !== "SIGKILL") return this.#redis.signal(signal);
    this.#changes = this.#changes.then(async () => {
      await this.#redis.kill();
      await pause(downMs);
      await this.#redis.start();
    });
    // `nextReady` tells it.
    this.#changes.catch(() => {});
  }

  nextReady(): Promise<void> {
    return this.#changes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#changes.catch(() => {});
    await this.#redis[Symbol.asyncDispose]();
  }
}
