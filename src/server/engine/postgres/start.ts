import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { runner } from "node-pg-migrate";
import type pg from "pg";
import { pause } from "../../../platform/clock.ts";
import { Problem } from "../../../platform/problem.ts";
import { EngineUnavailable } from "../engine.ts";
import { connectPrimary, type Primary } from "./connect.ts";
import { EnginePool, type PoolOptions } from "./pool.ts";

const migrations = fileURLToPath(new URL("migrations", import.meta.url));
const migrationsTable = "migrations";
const leastVersion = 15;

/** Pause between two searches for a primary, in milliseconds. */
const searchMs = 500;
/** After so many milliseconds, a primary that answers counts as one that confirms nothing. */
const unconfirmedMs = 3_000;

/**
 * Opens the engine's database, and makes its tables if they are missing or old.
 * @throws Problem in one sentence if the database can't be used, or no primary answers
 */
export async function openEngine(options: PoolOptions): Promise<EnginePool> {
  try {
    return await open(options);
  } catch (error) {
    if (!(error instanceof EngineUnavailable)) throw error;
    const way = "start PostgreSQL, or correct --engine";
    throw new Problem(`No primary of PostgreSQL answers (${error.message}): ${way}.`);
  }
}

/**
 * Opens the engine's database as `openEngine` does, and waits for a primary that confirms.
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
    const unconfirmed = setTimeout(() => {
      wait("unconfirmed", "PostgreSQL confirms no commit: its standby may be missing.");
    }, unconfirmedMs);
    try {
      return await open(options);
    } catch (error) {
      if (!(error instanceof EngineUnavailable)) throw error;
      wait("down", `No primary of PostgreSQL answers (${error.message}).`);
    } finally {
      clearTimeout(unconfirmed);
    }
    await pause(searchMs);
  }
}

/** @throws EngineUnavailable if no primary answers */
async function open(options: PoolOptions): Promise<EnginePool> {
  const { address, log } = options;
  const primary = await connectPrimary(options);
  try {
    await checkVersion(primary);
    await migrate(primary, address.schema);
    const warning = await warningOf(primary);
    if (warning !== undefined) log.warn({ event: "engineWarning" }, warning);
  } finally {
    primary.close();
  }
  return await EnginePool.open(options);
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
  // Without a standby, there is none that receipts could name.
  if (rows[0].alone) {
    return "PostgreSQL has no synchronous standby: what it confirms is lost if its disk is";
  }
  if (!rows[0].blind) return undefined;
  return "Receipts name no standby: `grant pg_read_all_stats` to this user, so that it sees them";
}
