import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { runner } from "node-pg-migrate";
import type pg from "pg";
import { pause } from "../../../platform/clock.ts";
import { Problem } from "../../../platform/problem.ts";
import { EngineUnavailable } from "../engine.ts";
import { connectPrimary, emptyCommit, isWritable, type Primary } from "./connect.ts";
import { EnginePool, type PoolOptions } from "./pool.ts";

const migrations = fileURLToPath(new URL("migrations", import.meta.url));
const migrationsTable = "migrations";
const leastVersion = 15;

/** Pause between two searches for a primary, in milliseconds. */
const searchMs = 500;
/** After so many milliseconds, a primary that has not confirmed a commit counts as one that confirms none. */
const unconfirmedMs = 3_000;

/** What whoever opens an engine hears and says while it waits. */
export interface Waiting {
  /** Called with a sentence if the primary does not confirm a commit for some seconds. */
  onUnconfirmed(why: string): void;
  /** Ends the wait. */
  readonly signal?: AbortSignal;
}

/**
 * Opens the engine's database, and makes its tables if they are missing or old. Waits until a commit
 * is confirmed, however long that takes.
 * @throws Problem in one sentence if the database can't be used, or no primary answers; another error
 * if the wait was ended
 */
export async function openEngine(
  options: PoolOptions,
  waiting: Waiting = { onUnconfirmed: () => {} },
): Promise<EnginePool> {
  try {
    return await open(options, waiting);
  } catch (error) {
    if (!(error instanceof EngineUnavailable)) throw error;
    const way = "start PostgreSQL, or correct --engine";
    throw new Problem(`No primary of PostgreSQL answers (${error.message}): ${way}.`);
  }
}

/**
 * Opens the engine's database as `openEngine` does, and also waits for a primary.
 * @param onWaiting called with a reason in one sentence, once for each kind of reason
 * @throws Problem in one sentence if the database can't be used (K7)
 */
export async function awaitEngine(
  options: PoolOptions,
  onWaiting: (why: string) => void,
): Promise<EnginePool> {
  const told = new Set<string>();
  const wait = (kind: "down" | "unconfirmed", why: string) => {
    if (!told.has(kind)) onWaiting(why);
    told.add(kind);
  };
  for (;;) {
    try {
      return await open(options, { onUnconfirmed: (why) => wait("unconfirmed", why) });
    } catch (error) {
      if (!(error instanceof EngineUnavailable)) throw error;
      wait("down", `No primary of PostgreSQL answers (${error.message}).`);
    }
    await pause(searchMs);
  }
}

/** @throws EngineUnavailable if no primary answers, or it is lost meanwhile */
async function open(options: PoolOptions, waiting: Waiting): Promise<EnginePool> {
  const primary = await connectPrimary(options);
  const { signal } = waiting;
  signal?.addEventListener("abort", primary.close);
  try {
    signal?.throwIfAborted();
    await prepare(primary, options, waiting);
  } catch (error) {
    signal?.throwIfAborted();
    if (await isWritable(primary.client).catch(() => false)) throw error;
    // The library of the migrations hides that the connection was lost, so the error does not tell.
    const { message } = ((error as Error).cause ?? error) as Error;
    throw new EngineUnavailable(message.split("\n")[0], { cause: error });
  } finally {
    signal?.removeEventListener("abort", primary.close);
    primary.close();
  }
  return await confirmed(EnginePool.open(options, signal), waiting);
}

async function prepare(
  primary: Primary,
  { address, log }: PoolOptions,
  waiting: Waiting,
): Promise<void> {
  await checkVersion(primary);
  // Nobody knows how long migrations take. So whether commits are confirmed is known before.
  await confirmed(primary.client.query(emptyCommit), waiting);
  await migrate(primary, address.schema);
  const warning = await warningOf(primary);
  if (warning !== undefined) log.warn({ event: "engineWarning" }, warning);
}

/** Tells if a commit is not confirmed for some seconds. */
async function confirmed<T>(commit: Promise<T>, { onUnconfirmed }: Waiting): Promise<T> {
  const unconfirmed = setTimeout(() => {
    onUnconfirmed("PostgreSQL confirms no commit: its standby may be missing.");
  }, unconfirmedMs);
  try {
    return await commit;
  } finally {
    clearTimeout(unconfirmed);
  }
}

async function checkVersion({ client, host }: Primary): Promise<void> {
  const { rows } = await client.query(
    "select current_setting('server_version_num')::int as number",
  );
  const version = Math.floor(rows[0].number / 10_000);
  if (version >= leastVersion) return;
  throw new Problem(
    `PostgreSQL at ${host.host}:${host.port} is of version ${version}: use ${leastVersion} or newer.`,
  );
}

/**
 * Runs the migrations that this schema lacks. Servers that start at once do this one after the other.
 */
async function migrate({ client }: Primary, schema: string): Promise<void> {
  const shipped = readdirSync(migrations).map((file) => file.replace(/\.sql$/, ""));
  const applied = await migrationsOf(client, schema);
  const unknown = applied.find((name) => !shipped.includes(name));
  if (unknown !== undefined) {
    const what = `The schema ${schema} was made by a newer version of tertulia (${unknown})`;
    throw new Problem(`${what}: update this program, or name another schema.`);
  }
  if (applied.length === shipped.length) return;
  // A migration may take longer than a statement of a server may.
  await client.query("set statement_timeout = 0");
  try {
    await runner({
      dbClient: client,
      dir: migrations,
      direction: "up",
      singleTransaction: true,
      ...{ schema, migrationsTable, migrationsSchema: schema },
      ...(schema === "public" ? {} : { createSchema: true, createMigrationsSchema: true }),
      advisoryLockMode: "wait",
      logger: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    });
  } catch (error) {
    // The library puts some errors of PostgreSQL, with their stack, into a message of its own.
    const [line = ""] = (error as Error).message.split("\n");
    const why = line.replace(/^Unable to .*: error: /, "");
    const way = "let the user of --engine own the database, or give it a database of its own";
    const what = `The tables can't be made in the schema ${schema} (${why})`;
    throw new Problem(`${what}: ${way}.`, 1, { cause: error });
  }
}

/** Returns the names of the migrations that a schema has. */
async function migrationsOf(client: pg.Client, schema: string): Promise<string[]> {
  const table = `${schema}.${migrationsTable}`;
  const { rows: found } = await client.query("select to_regclass($1) is not null as here", [table]);
  if (found[0].here !== true) return [];
  const { rows } = await client.query<{ name: string }>(`select name from ${table}`);
  return rows.map(({ name }) => name);
}

/** Returns what an operator should know of the database's promises; undefined if all is well. */
async function warningOf({ client }: Primary): Promise<string | undefined> {
  const { rows } = await client.query(
    `select current_setting('synchronous_standby_names') = '' as alone,
      not pg_has_role(current_user, 'pg_read_all_stats', 'usage') as blind`,
  );
  // Whoever has no standby need not be told that receipts name none.
  if (rows[0].alone) {
    return "PostgreSQL has no synchronous standby: what it confirms is lost if its disk is";
  }
  if (!rows[0].blind) return undefined;
  return "Receipts name no standby: `grant pg_read_all_stats` to this user, so that it sees them";
}
