import { readFile } from "node:fs/promises";
import pino from "pino";
import { engineAddress } from "../../src/platform/parse-engine.ts";
import type { Decided, Operation } from "../../src/protocol/operation.ts";
import { Needs } from "../../src/server/engine/engine.ts";
import { decide } from "../../src/server/engine/postgres/decide.ts";
import { loadDecided } from "../../src/server/engine/postgres/load-decided.ts";
import { EnginePool } from "../../src/server/engine/postgres/pool.ts";
import { Slice } from "../../src/server/engine/slice.ts";
import type { Postgres } from "./postgres.ts";

/** A database that has the tables of what operations decide. */
export class DecidedDatabase implements AsyncDisposable {
  readonly #pool: EnginePool;

  private constructor(pool: EnginePool) {
    this.#pool = pool;
  }

  static async make(postgres: Postgres): Promise<DecidedDatabase> {
    const address = engineAddress(await postgres.createDatabase());
    const log = pino({ level: "silent" });
    const pool = await EnginePool.open({ address, password: undefined, log });
    const made = new DecidedDatabase(pool);
    const file = new URL(
      "../../src/server/engine/postgres/migrations/003_decisions.sql",
      import.meta.url,
    );
    await made.run(await readFile(file, "utf8"));
    return made;
  }

  async run(text: string): Promise<readonly Record<string, unknown>[]> {
    return (await this.#pool.write({ text })).rows;
  }

  decide(operations: readonly Operation[], timeMs = 1_000): Promise<readonly Decided[]> {
    return decide(this.#pool, operations, timeMs);
  }

  async decideOne(operation: Operation): Promise<Decided> {
    const [decided] = await this.decide([operation]);
    return decided as Decided;
  }

  /** @param want says what is needed */
  async load(want: (needs: Needs) => void = () => {}): Promise<Slice> {
    const needs = new Needs();
    want(needs);
    const slice = new Slice();
    await loadDecided({ query: (query) => this.#pool.read(query) }, needs, slice);
    return slice;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]();
  }
}
