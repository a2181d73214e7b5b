import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ChannelName, UserName } from "../../../src/protocol/ids.ts";
import type { NewEvent } from "../../../src/server/engine/engine.ts";
import { append } from "../../../src/server/engine/postgres/append.ts";
import { hasPostgres, skipNote } from "../../../src/trials/postgres.ts";
import { eventOf } from "../../support/drawn-events.ts";
import { EngineDatabase } from "../../support/engine-database.ts";

const ana = "ana" as UserName;

describe.skipIf(!hasPostgres)(`New channels of an engine${skipNote}`, () => {
  const many = 2_000;
  const channel = (name: string, user = ana) => {
    return eventOf("channel", { channel: name as ChannelName, user });
  };
  const batch = Array.from({ length: 50 }, (_, at) => channel(`new${at}`));

  let database: EngineDatabase;

  beforeAll(async () => {
    database = await EngineDatabase.start();
  }, 60_000);
  afterAll(() => database?.[Symbol.asyncDispose]());
  beforeEach(async () => {
    await database.empty();
    await database.query(
      `insert into events (lane, seq, clock, time, kind, subject, actor, scope)
      select 0, n, n, 0, 'channel', '#old' || n, 'ana', 'x' from generate_series(1, ${many}) n`,
    );
    await database.query(
      `insert into channels (name, sort, lane, seq, clock, time, creator)
      select 'old' || n, ('old' || n)::bytea, 0, n, n, 0, 'ana' from generate_series(1, ${many}) n`,
    );
    await database.query(`update lanes set seq = ${many}, clock = ${many} where lane = 0`);
  });

  /** Appends, and returns how many channels were made, and what one figure of the transaction was. */
  const figureOf = (events: readonly NewEvent[], figure: string) => {
    return database.pool.transaction(async (db) => {
      const appended = await append({ write: (query) => db.query(query) }, events);
      const { rows } = await db.query<{ number: number }>({ text: figure });
      const made = appended.filter((one) => one !== "conflict").length;
      return { made, number: rows[0]?.number ?? Number.NaN };
    });
  };
  const readRows = `select sum(idx_tup_fetch + seq_tup_read)::bigint as number
    from pg_stat_xact_user_tables where relname = 'channels' or relname like 'events%'`;
  const locks = `select count(*) as number from pg_locks
    where locktype = 'advisory' and pid = pg_backend_pid()`;

  test("[K10] of a user who has many make an engine read none of them, where users may make as many as they like", async () => {
    const { made, number } = await figureOf(batch, readRows);
    expect(made).toBe(batch.length);
    expect(number).toBeLessThan(many);
  });

  test("[K10] of a user who has many make an engine count them once, however many are made at once", async () => {
    const bounded = batch.map((event) => ({ ...event, most: 200 }));
    const { made, number } = await figureOf(bounded, readRows);
    expect(made).toBe(0);
    // Each is found in two tables.
    expect(number).toBeLessThan(3 * many);
  });

  test("[K10] of a user are counted once if several former servers have made them", async () => {
    await database.empty();
    await database.query(
      `insert into events (lane, seq, clock, time, kind, subject, actor, scope)
      select lane, 1, 1, 0, 'channel', '#twice', 'ana', 'x' from generate_series(1000, 1001) lane`,
    );
    await database.query(
      `insert into channels (name, sort, lane, seq, clock, time, creator)
      values ('twice', '', 1000, 1, 1, 0, 'ana')`,
    );
    const made = (name: string) => append(database.pool, [{ ...channel(name), most: 2 }]);
    expect(await made("second")).toMatchObject([{ isNew: true }]);
    expect(await made("third")).toEqual(["conflict"]);
  });

  test("use a bounded part of PostgreSQL's memory for locks, however many are made at once", async () => {
    const channels = Array.from({ length: 1_000 }, (_, at) => {
      return { ...channel(`Il0O${at}`, `user${at}` as UserName), most: 200 };
    });
    const { made, number } = await figureOf(channels, locks);
    expect(made).toBe(channels.length);
    expect(number).toBeLessThanOrEqual(1_024);
  });
});
