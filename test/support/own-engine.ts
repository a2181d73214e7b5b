import { type Postgres, startPostgres } from "../../src/trials/postgres.ts";

/** Starts a PostgreSQL with a standby, which has room for the servers of many clusters. */
export function startOwnEngine(): Promise<Postgres> {
  // Each server of each cluster has its own connections.
  return startPostgres({ standby: true, settings: { max_connections: "500" } });
}

/**
 * Starts a PostgreSQL for the servers of all tests of a run, if the environment variable
 * `TERTULIA_TEST_ENGINE` is `own`. It is called by Vitest, and returns what stops it.
 */
export async function setup(): Promise<() => Promise<void>> {
  const postgres = await startOwnEngine();
  process.env.TERTULIA_TEST_ENGINE = postgres.url;
  return () => postgres[Symbol.asyncDispose]();
}
