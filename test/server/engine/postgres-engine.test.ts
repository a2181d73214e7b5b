import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ServerName, UserName } from "../../../src/protocol/ids.ts";
import { type Engine, EngineUnavailable, Needs } from "../../../src/server/engine/engine.ts";
import { openPostgres } from "../../../src/server/engine/postgres/postgres-engine.ts";
import {
  hasPostgres,
  type Postgres,
  skipNote,
  startPostgres,
} from "../../../src/trials/postgres.ts";
import { eventOf } from "../../support/drawn-events.ts";
import { type LoggedOptions, poolOptions } from "../../support/engine-pool.ts";
import { until } from "../../support/until.ts";

const name = "server_0000000a" as ServerName;
const ana = "ana" as UserName;

describe.skipIf(!hasPostgres)(`PostgreSQL that is damaged${skipNote}`, () => {
  let postgres: Postgres;

  beforeAll(async () => {
    postgres = await startPostgres();
  }, 60_000);
  afterAll(() => postgres?.[Symbol.asyncDispose]());

  /** Opens an engine in a new database, in which a statement then breaks something. */
  async function damaged(statement: string): Promise<{ engine: Engine; logged: LoggedOptions }> {
    const url = await postgres.createDatabase();
    const logged = poolOptions(url);
    const engine = await openPostgres(logged, logged.log, () => {});
    await postgres.query(statement, url.split("/").at(-1));
    return { engine, logged };
  }
  const failures = ({ warnings }: LoggedOptions) => {
    return warnings.filter((text) => text.startsWith("The database failed"));
  };
  const report = { name, address: "tcp://h:1", clock: 7, rate: 0 };

  test("[K6] a damaged database ends no server: its engine refuses whatever it is asked as unavailable, and says why once", async () => {
    const { engine, logged } = await damaged(
      "drop table events, accounts, unpublished, log_head, servers cascade",
    );
    await using _closed = engine;
    const needs = new Needs();
    needs.accounts.add(ana);
    const calls = [
      () => engine.load(needs),
      () => engine.append([eventOf("login", { user: ana, isProven: undefined })]),
      () => engine.decide([], 0),
      () => engine.unpublished(0, 10),
      () => engine.report(report),
      () => engine.search({ conversation: { user: ana }, terms: [], limit: 1 }),
    ];
    for (const call of [...calls, ...calls])
      await expect(call()).rejects.toThrow(EngineUnavailable);
    expect(failures(logged)).toHaveLength(1);
  });

  test("[K6] an engine that can take no lease still tells servers of each other, and says what failed", async () => {
    const { engine, logged } = await damaged("drop function take_lease");
    await using _closed = engine;
    expect((await engine.report(report)).keeper).toBeUndefined();
    await until(() => failures(logged).length === 1, "the failure is logged");
    await expect(engine.lease("pack", name, 1)).rejects.toThrow(EngineUnavailable);
  });
});
