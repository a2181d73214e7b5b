import pino from "pino";
import { engineAddress } from "../../src/platform/parse-engine.ts";
import type { Needs } from "../../src/server/engine/engine.ts";
import { loadChat } from "../../src/server/engine/postgres/load-chat.ts";
import type { EnginePool } from "../../src/server/engine/postgres/pool.ts";
import { openEngine } from "../../src/server/engine/postgres/start.ts";
import { Slice } from "../../src/server/engine/slice.ts";
import { type Postgres, startPostgres } from "../../src/trials/postgres.ts";

/** A database of an engine, in a PostgreSQL of its own. */
export class EngineDatabase implements AsyncDisposable {
  readonly pool: EnginePool;
  readonly #postgres: Postgres;

  private constructor(postgres: Postgres, pool: EnginePool) {
    this.#postgres = postgres;
    this.pool = pool;
  }

  static async start(): Promise<EngineDatabase> {
    const postgres = await startPostgres({ settings: { fsync: "off" } });
    try {
      const address = engineAddress(await postgres.createDatabase());
      const log = pino({ level: "silent" });
      return new EngineDatabase(postgres, await openEngine({ address, password: undefined, log }));
    } catch (error) {
      await postgres[Symbol.asyncDispose]();
      throw error;
    }
  }

  async query<Row extends Record<string, unknown>>(text: string): Promise<Row[]> {
    return (await this.pool.write<Row>({ text })).rows;
  }

  /** Forgets all events. */
  async empty(): Promise<void> {
    await this.query("truncate events, users, channels, looks, unpublished");
    await this.query("update lanes set seq = 0, clock = 0");
  }

  /** Loads what is needed of the chat. */
  async load(needs: Needs, slice = new Slice()): Promise<Slice> {
    await loadChat({ query: (query) => this.pool.read(query) }, needs, slice);
    return slice;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.pool[Symbol.asyncDispose]();
    await this.#postgres[Symbol.asyncDispose]();
  }
}
