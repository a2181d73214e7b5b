import type { Log } from "../../../platform/log.ts";
import type { SearchQuery } from "../../../protocol/client-messages.ts";
import type { ServerName } from "../../../protocol/ids.ts";
import type { Operation } from "../../../protocol/operation.ts";
import type { Entry } from "../../../protocol/publications.ts";
import type { EngineConfig } from "../../config.ts";
import type { Placed } from "../../core/replica/placed.ts";
import type {
  Appended,
  DecidedWithStock,
  Engine,
  Needs,
  NewEvent,
  ServerReport,
  Standing,
  UnpublishedEvent,
} from "../engine.ts";
import { Slice } from "../slice.ts";
import { append } from "./append.ts";
import { decide } from "./decide.ts";
import { Guard } from "./guard.ts";
import { loadChat } from "./load-chat.ts";
import { loadDecided } from "./load-decided.ts";
import type { EnginePool } from "./pool.ts";
import { search } from "./search.ts";
import { ServerDirectory } from "./standing.ts";
import { awaitEngine } from "./start.ts";
import { markPublished, unpublished } from "./unpublished.ts";

/**
 * Waits for a primary, and opens its database.
 * @throws Problem if the database can't be used (K7)
 */
export async function openPostgres(
  config: EngineConfig,
  log: Log,
  onWaiting: (why: string) => void,
): Promise<Engine> {
  return new PostgresEngine(await awaitEngine({ ...config, log }, onWaiting), new Guard(log));
}

class PostgresEngine implements Engine {
  readonly #pool: EnginePool;
  readonly #guard: Guard;
  readonly #directory: ServerDirectory;

  constructor(pool: EnginePool, guard: Guard) {
    this.#pool = pool;
    this.#guard = guard;
    // A report does not wait for the lease that it may try to take, so this has a guard of its own.
    this.#directory = new ServerDirectory({
      read: (query) => pool.read(query),
      write: (query) => guard.run(pool.write(query)),
    });
  }

  load(needs: Needs, into = new Slice()): Promise<Slice> {
    const reads = { query: this.#pool.read.bind(this.#pool) };
    const loaded = Promise.all([loadChat(reads, needs, into), loadDecided(reads, needs, into)]);
    return this.#guard.run(loaded.then(() => into));
  }

  append(events: readonly NewEvent[]): Promise<readonly Appended[]> {
    return this.#guard.run(append(this.#pool, events));
  }

  decide(operations: readonly Operation[], timeMs: number): Promise<readonly DecidedWithStock[]> {
    return this.#guard.run(decide(this.#pool, operations, timeMs));
  }

  markPublished(places: readonly Placed[]): Promise<void> {
    return this.#guard.run(markPublished(this.#pool, places));
  }

  unpublished(olderThanMs: number, limit: number): Promise<readonly UnpublishedEvent[]> {
    return this.#guard.run(unpublished(this.#pool, olderThanMs, limit));
  }

  report(own: ServerReport): Promise<Standing> {
    return this.#guard.run(this.#directory.report(own));
  }

  lease(name: string, holder: ServerName, ttlMs: number) {
    return this.#guard.run(this.#directory.lease(name, holder, ttlMs));
  }

  search(query: SearchQuery): Promise<readonly Entry[]> {
    return this.#guard.run(search(this.#pool, query));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]();
  }
}
