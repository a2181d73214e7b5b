import { startPostgres } from "../../src/trials/postgres.ts";

/**
 * Starts a PostgreSQL for the servers of all tests of a run, if the environment variable
 * `TERTULIA_TEST_ENGINE` is `own`. It is called by Vitest, and returns what stops it.
 */
export async function setup(): Promise<() => Promise<void>> {
  // Each server of each cluster has its own connections.
  const settings = { max_connections: "500" };
  const postgres = await startPostgres({ standby: true, settings });
  process.env.TERTULIA_TEST_ENGINE = postgres.url;
  return () => postgres[Symbol.asyncDispose]();
}
