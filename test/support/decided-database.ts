import pino from "pino";
import { engineAddress } from "../../src/platform/parse-engine.ts";
import type { Decided, Operation } from "../../src/protocol/operation.ts";
import { Needs } from "../../src/server/engine/engine.ts";
import { decide } from "../../src/server/engine/postgres/decide.ts";
import { loadDecided } from "../../src/server/engine/postgres/load-decided.ts";
import type { EnginePool, Queries } from "../../src/server/engine/postgres/pool.ts";
import { openEngine } from "../../src/server/engine/postgres/start.ts";
import { Slice } from "../../src/server/engine/slice.ts";
import type { Postgres } from "../../src/trials/postgres.ts";

/** A database of an engine, with operations and what they decide. */
export class DecidedDatabase implements AsyncDisposable {
  readonly #pool: EnginePool;

  private constructor(pool: EnginePool) {
    this.#pool = pool;
  }

  static async make(postgres: Postgres): Promise<DecidedDatabase> {
    const address = engineAddress(await postgres.createDatabase());
    const log = pino({ level: "silent" });
    return new DecidedDatabase(await openEngine({ address, password: undefined, log }));
  }

  async run(text: string): Promise<readonly Record<string, unknown>[]> {
    return (await this.#pool.write({ text })).rows;
  }

  async decide(operations: readonly Operation[], timeMs = 1_000): Promise<readonly Decided[]> {
    return (await decide(this.#pool, operations, timeMs)).map(({ left, ...decided }) => decided);
  }

  async decideOne(operation: Operation): Promise<Decided> {
    const [decided] = await this.decide([operation]);
    return decided as Decided;
  }

  /**
   * @param want says what is needed
   * @param meanwhile runs after each statement
   */
  async load(
    want: (needs: Needs) => void = () => {},
    meanwhile: () => Promise<unknown> = async () => {},
  ): Promise<Slice> {
    const needs = new Needs();
    want(needs);
    const slice = new Slice();
    const reads: Queries = {
      query: async (query) => {
        const result = await this.#pool.read(query);
        await meanwhile();
        return result as never;
      },
    };
    await loadDecided(reads, needs, slice);
    return slice;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]();
  }
}
