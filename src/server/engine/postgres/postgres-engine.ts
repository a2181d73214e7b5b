import type { Log } from "../../../platform/log.ts";
import type { SearchQuery } from "../../../protocol/client-messages.ts";
import type { ServerName } from "../../../protocol/ids.ts";
import type { Decided, Operation } from "../../../protocol/operation.ts";
import type { Entry } from "../../../protocol/publications.ts";
import type { EngineConfig } from "../../config.ts";
import type { Placed } from "../../core/replica/placed.ts";
import type {
  Appended,
  Engine,
  Needs,
  NewEvent,
  ServerReport,
  Standing,
  Unpublished,
} from "../engine.ts";
import { Slice } from "../slice.ts";
import { Appender } from "./append.ts";
import { decide } from "./decide.ts";
import { loadChat } from "./load-chat.ts";
import { loadDecided } from "./load-decided.ts";
import type { EnginePool } from "./pool.ts";
import { search } from "./search.ts";
import { ServerDirectory } from "./standing.ts";
import { awaitEngine } from "./start.ts";
import { published, unpublished } from "./unpublished.ts";

/**
 * Waits for a primary, and opens its database.
 * @throws Problem if the database can't be used (K7)
 */
export async function openPostgres(
  config: EngineConfig,
  log: Log,
  onWaiting: (why: string) => void,
): Promise<Engine> {
  return new PostgresEngine(await awaitEngine({ ...config, log }, onWaiting));
}

class PostgresEngine implements Engine {
  readonly #pool: EnginePool;
  readonly #appender: Appender;
  readonly #directory: ServerDirectory;

  constructor(pool: EnginePool) {
    this.#pool = pool;
    this.#appender = new Appender(pool);
    this.#directory = new ServerDirectory(pool);
  }

  async load(needs: Needs, into = new Slice()): Promise<Slice> {
    const reads = { query: this.#pool.read.bind(this.#pool) };
    await Promise.all([loadChat(reads, needs, into), loadDecided(reads, needs, into)]);
    return into;
  }

  append(events: readonly NewEvent[]): Promise<readonly Appended[]> {
    return this.#appender.append(events);
  }

  decide(operations: readonly Operation[], timeMs: number): Promise<readonly Decided[]> {
    return decide(this.#pool, operations, timeMs);
  }

  published(places: readonly Placed[]): Promise<void> {
    return published(this.#pool, places);
  }

  unpublished(olderThanMs: number, limit: number): Promise<readonly Unpublished[]> {
    return unpublished(this.#pool, olderThanMs, limit);
  }

  report(own: ServerReport): Promise<Standing> {
    return this.#directory.report(own);
  }

  lease(name: string, holder: ServerName, ttlMs: number) {
    return this.#directory.lease(name, holder, ttlMs);
  }

  search(query: SearchQuery): Promise<readonly Entry[]> {
    return search(this.#pool, query);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]();
  }
}
