import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Problem } from "../../../src/platform/problem.ts";
import { awaitEngine, openEngine } from "../../../src/server/engine/postgres/start.ts";
import {
  hasPostgres,
  type Postgres,
  skipNote,
  startPostgres,
} from "../../../src/trials/postgres.ts";
import { type LoggedOptions, poolOptions } from "../../support/engine-pool.ts";
import { until } from "../../support/until.ts";

/** The reason why a server does not start. */
async function refusal(options: LoggedOptions): Promise<string> {
  const error = await openEngine(options).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(Problem);
  const { message } = error as Problem;
  expect(message).toMatch(/^[^\n]+\.$/);
  return message.replaceAll(/127\.0\.0\.1:\d+/g, "HOST");
}

describe.skipIf(!hasPostgres)(`the start of a server at PostgreSQL${skipNote}`, () => {
  let postgres: Postgres;

  beforeAll(async () => {
    postgres = await startPostgres({ standby: true });
  }, 60_000);
  afterAll(() => postgres?.[Symbol.asyncDispose]());

  /** Runs a statement in the database of an address. */
  const run = (url: string, text: string) => postgres.query(text, url.split("/").at(-1));

  async function clusterOf(url: string): Promise<unknown> {
    await using pool = await openEngine(poolOptions(url));
    const { rows } = await pool.read({ text: "select cluster from meta" });
    expect(rows).toHaveLength(1);
    return rows[0]?.cluster;
  }

  test("the first server makes the tables, and later ones leave them as they are", async () => {
    const url = await postgres.createDatabase();
    const first = await clusterOf(url);
    expect(await clusterOf(url)).toEqual(first);
    expect(await clusterOf(await postgres.createDatabase())).not.toEqual(first);
  });

  test("servers that start at the same time make the tables once", async () => {
    const url = await postgres.createDatabase();
    const clusters = await Promise.all([1, 2, 3, 4].map(() => clusterOf(url)));
    expect(new Set(clusters).size).toBe(1);
  });

  test("two clusters can share a database, each in a schema of its own", async () => {
    const url = await postgres.createDatabase();
    const own = await clusterOf(`${url}?schema=other`);
    expect(await clusterOf(url)).not.toEqual(own);
    expect(await clusterOf(`${url}?schema=other`)).toEqual(own);
  });

  test("a server refuses tables that a newer version has made, and leaves them as they are", async () => {
    const url = await postgres.createDatabase();
    await clusterOf(url);
    await run(url, "insert into migrations (name, run_on) values ('999_newer', now())");
    expect(await refusal(poolOptions(url))).toBe(
      "The schema public was made by a newer version of tertulia (999_newer): " +
        "update this program, or name another schema.",
    );
  });

  test("a database in which an earlier version appends by another function gets that of this version", async () => {
    const url = await postgres.createDatabase();
    await clusterOf(url);
    await run(url, "delete from migrations where name >= '005'");
    await run(url, "drop function append_events");
    await run(url, "create function append_events(bigint[]) returns void language sql as ''");
    await clusterOf(url);
    const found = await run(url, "select pronargs from pg_proc where proname = 'append_events'");
    expect(found).toEqual([{ pronargs: 15 }]);
  });

  test("a server whose user may not make tables says so in one sentence", async () => {
    const url = await postgres.createDatabase();
    await run(url, "create role reader login");
    const address = url.replace("//postgres@", "//reader@");
    expect(await refusal(poolOptions(address))).toBe(
      "The tables can't be made in the schema public (permission denied for schema public): " +
        "let the user of --engine own the database, or give it a database of its own.",
    );
  });

  test("a server names the database or the user that does not exist", async () => {
    const { url } = postgres;
    expect(await refusal(poolOptions(url.replace(/postgres$/, "nowhere")))).toBe(
      "PostgreSQL at HOST has no database nowhere: create it, or correct --engine.",
    );
    expect(await refusal(poolOptions(url.replace("//postgres@", "//nobody@")))).toBe(
      "PostgreSQL at HOST does not let the user nobody in: create it, or allow it in pg_hba.conf.",
    );
  });

  test("a server says that nothing answers, that only a standby does, or that it can't encrypt", async () => {
    const down = poolOptions("postgres://ana@127.0.0.1:1/chat");
    expect(await refusal(down)).toBe(
      "No primary of PostgreSQL answers (HOST: connect ECONNREFUSED HOST): " +
        "start PostgreSQL, or correct --engine.",
    );
    const { port } = postgres.standby;
    const standby = poolOptions(`postgres://postgres@127.0.0.1:${port}/postgres`);
    expect(await refusal(standby)).toBe(
      "No primary of PostgreSQL answers (HOST is not the primary): " +
        "start PostgreSQL, or correct --engine.",
    );
    const unknown = poolOptions("postgres://ana@no-such-host.invalid/chat");
    expect(await refusal(unknown)).toContain("No primary of PostgreSQL answers (no-such-host");
    expect(await refusal(poolOptions(`${postgres.url}?sslmode=require`))).toBe(
      "PostgreSQL at HOST does not encrypt: configure it to, or leave out sslmode.",
    );
  });

  test("a server finds the primary among several hosts, also if the first is unknown or a standby", async () => {
    const url = await postgres.createDatabase();
    const { primary, standby } = postgres;
    const hosts = `no-such-host.invalid,127.0.0.1:${standby.port},127.0.0.1:${primary.port}`;
    await using pool = await openEngine(poolOptions(url.replace(/@.*\//, `@${hosts}/`)));
    const { rows } = await pool.read({ text: "select pg_is_in_recovery() as standby" });
    expect(rows).toEqual([{ standby: false }]);
  });

  test("a server warns only if its user can't see the standby", async () => {
    const url = await postgres.createDatabase();
    const options = poolOptions(url);
    await using _pool = await openEngine(options);
    expect(options.warnings).toEqual([]);
    await run(url, "create role owner login");
    await run(url, "alter schema public owner to owner");
    const blind = poolOptions(url.replace("//postgres@", "//owner@").concat("?schema=public"));
    await run(url, "grant all on all tables in schema public to owner");
    await using _other = await openEngine(blind);
    expect(blind.warnings).toEqual([
      "Receipts name no standby: `grant pg_read_all_stats` to this user, so that it sees them",
    ]);
  });
});

describe.skipIf(!hasPostgres)(`a PostgreSQL with a password and no standby${skipNote}`, () => {
  let postgres: Postgres;

  beforeAll(async () => {
    postgres = await startPostgres({ password: "right" });
  }, 60_000);
  afterAll(() => postgres?.[Symbol.asyncDispose]());

  test("a server says that it needs the password, or the right one", async () => {
    expect(await refusal(poolOptions(postgres.url))).toBe(
      "PostgreSQL at HOST wants a password of the user postgres: " +
        "set TERTULIA_ENGINE_PASSWORD_FILE to the right one.",
    );
    expect(await refusal(poolOptions(postgres.url, { password: "wrong" }))).toBe(
      "PostgreSQL at HOST refuses this password of the user postgres: " +
        "set TERTULIA_ENGINE_PASSWORD_FILE to the right one.",
    );
  });

  test("a server warns if no standby confirms what it writes", async () => {
    const options = poolOptions(await postgres.createDatabase(), { password: "right" });
    await using _pool = await openEngine(options);
    expect(options.warnings).toEqual([
      "PostgreSQL has no synchronous standby: what it confirms is lost if its disk is",
    ]);
  });

  test("[K6] a server whose primary is lost while another server makes the tables waits for it, and then serves", async () => {
    const url = await postgres.createDatabase();
    const name = url.split("/").at(-1);
    const lock = "select pg_advisory_lock(7241865325823964), pg_sleep(600)";
    const migrating = postgres.query(lock, name).catch(() => {});
    const waits = async (text: string) => {
      const waiters = `select 1 from pg_stat_activity where ${text} and datname = '${name}'`;
      return (await postgres.query(waiters)).length > 0;
    };
    await until(() => waits("wait_event = 'PgSleep'"), "another one makes the tables");
    const told: string[] = [];
    const opened = awaitEngine(poolOptions(url, { password: "right" }), (why) => told.push(why));
    await until(() => waits("wait_event = 'advisory'"), "the server waits for the tables");
    await postgres.kill();
    await migrating;
    await until(() => told.length > 0, "the server knows that the primary is lost");
    expect(told[0]).toMatch(/^No primary of PostgreSQL answers \([^\n]+\)\.$/);
    await postgres.primary.start();
    await using pool = await opened;
    expect((await pool.read({ text: "select 1 as one" })).rows).toEqual([{ one: 1 }]);
  }, 60_000);
});
