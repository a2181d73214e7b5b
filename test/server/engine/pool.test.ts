import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EngineUnavailable } from "../../../src/server/engine/engine.ts";
import { EnginePool, type PoolOptions } from "../../../src/server/engine/postgres/pool.ts";
import { escapeNul, sortKey, unescapeNul } from "../../../src/server/engine/postgres/text.ts";
import {
  hasPostgres,
  type Postgres,
  skipNote,
  startPostgres,
} from "../../../src/trials/postgres.ts";
import { poolOptions } from "../../support/engine-pool.ts";
import { until } from "../../support/until.ts";

const one = { text: "select 1 as one" };

describe.skipIf(!hasPostgres)(`connections to PostgreSQL${skipNote}`, () => {
  let postgres: Postgres;
  let url: string;

  beforeAll(async () => {
    postgres = await startPostgres({ standby: true });
    url = await postgres.createDatabase();
  }, 60_000);
  afterAll(() => postgres?.[Symbol.asyncDispose]());

  const open = (more: Partial<PoolOptions> = {}) => EnginePool.open(poolOptions(url, more));

  /** Makes a table with one number, which is 0. */
  async function counter(pool: EnginePool): Promise<string> {
    counters += 1;
    const name = `counter_${counters}`;
    await pool.write({ text: `create table ${name} as select 0::bigint as number` });
    return name;
  }
  let counters = 0;

  const numberOf = async (pool: EnginePool, name: string) =>
    (await pool.read({ text: `select number from ${name}` })).rows[0]?.number;

  /** The process of PostgreSQL that waits for something. */
  const waiting = (event: string) =>
    postgres.query<{ pid: number }>(
      `select pid from pg_stat_activity where wait_event = '${event}' and application_name = 'tertulia'`,
    );

  test("a statement returns rows, and its counts are numbers", async () => {
    await using pool = await open();
    const query = { name: "sum", text: "select $1::bigint + 1 as sum", values: [41] };
    expect((await pool.read(query)).rows).toEqual([{ sum: 42 }]);
    expect((await pool.write(query)).rows).toEqual([{ sum: 42 }]);
  });

  test("a transaction is rolled back if its code fails, and its connection goes on", async () => {
    await using pool = await open({ writers: 1 });
    const name = await counter(pool);
    const failing = pool.transaction(async (transaction) => {
      await transaction.query({ text: `update ${name} set number = 1` });
      throw new RangeError("it is full");
    });
    await expect(failing).rejects.toThrow(RangeError);
    expect(await numberOf(pool, name)).toBe(0);
    await pool.write({ text: `update ${name} set number = 2` });
    expect(await numberOf(pool, name)).toBe(2);
  });

  test("an error of a statement is thrown as it is, and the pool stays up", async () => {
    await using pool = await open();
    await expect(pool.write({ text: "select 1 / 0" })).rejects.toMatchObject({ code: "22012" });
    expect(pool.isUp).toBe(true);
  });

  test("transactions that are in each other's way are run again, so that all are made", async () => {
    await using pool = await open();
    const name = await counter(pool);
    const add = () =>
      pool.transaction(async (transaction) => {
        await transaction.query({ text: "set transaction isolation level serializable" });
        const { rows } = await transaction.query({ text: `select number from ${name}` });
        const next = Number(rows[0]?.number) + 1;
        await transaction.query({ text: `update ${name} set number = $1`, values: [next] });
      });
    await Promise.all([add(), add(), add()]);
    expect(await numberOf(pool, name)).toBe(3);
  });

  test("whatever finds no place to wait is refused at once, and the rest is served", async () => {
    await using pool = await open({ writers: 1, mostWaiting: 1 });
    let finish = () => {};
    const blocked = new Promise<void>((resolve) => {
      finish = resolve;
    });
    let hasBegun = false;
    const first = pool.transaction(() => {
      hasBegun = true;
      return blocked;
    });
    await until(() => hasBegun, "the only connection is taken");
    const second = pool.write(one);
    await until(() => pool.waiting === 1, "one waits");
    await expect(pool.write(one)).rejects.toThrow(EngineUnavailable);
    expect((await pool.read(one)).rows).toEqual([{ one: 1 }]);
    finish();
    await first;
    expect((await second).rows).toEqual([{ one: 1 }]);
  });

  test("a connection that is ended is refused alone: the pool stays up", async () => {
    await using pool = await open();
    const sleeping = pool.write({ text: "select pg_sleep(60)" });
    const refused = expect(sleeping).rejects.toThrow(EngineUnavailable);
    await until(async () => (await waiting("PgSleep")).length > 0, "it sleeps");
    const [found] = await waiting("PgSleep");
    await postgres.query(`select pg_terminate_backend(${found?.pid})`);
    await refused;
    expect(pool.isUp).toBe(true);
    expect((await pool.write(one)).rows).toEqual([{ one: 1 }]);
  });

  test("of very many statements a connection keeps a bounded number, and those that are run often", async () => {
    await using pool = await open({ readers: 1 });
    const run = (number: number) => {
      return pool.read({ name: `of many ${number}`, isOfMany: true, text: `select ${number}` });
    };
    const kept = async () => {
      const { rows } = await pool.read<{ name: string }>({
        text: "select name from pg_prepared_statements where name like 'of many %'",
      });
      return rows.map(({ name }) => name);
    };
    // Each number is run once, but for 1, which is run each time.
    for (let number = 2; number <= 500; number += 1) await Promise.all([run(1), run(number)]);
    expect(await kept()).toEqual(["of many 1"]);
    for (let number = 501; number <= 700; number += 1) {
      await Promise.all(Array.from({ length: 20 }, () => run(number)));
    }
    expect((await kept()).length).toBe(100);
    expect((await run(700)).rows).toEqual([{ "?column?": 700 }]);
  });

  test("a closed pool leaves no connection, and refuses what it had not finished", async () => {
    const pool = await open();
    await Promise.all([pool.read(one), pool.write(one)]);
    const sleeping = expect(pool.write({ text: "select pg_sleep(1)" })).rejects.toThrow(
      EngineUnavailable,
    );
    await until(async () => (await waiting("PgSleep")).length > 0, "it sleeps");
    await pool[Symbol.asyncDispose]();
    await sleeping;
    await expect(pool.read(one)).rejects.toThrow(EngineUnavailable);
    const left = () =>
      postgres.query("select 1 from pg_stat_activity where application_name = 'tertulia'");
    await until(async () => (await left()).length === 0, "no connection is left");
  });

  test("while the standby is away, changes wait and are not visible, and reads go on", async () => {
    await using pool = await open();
    const name = await counter(pool);
    await postgres.standby.kill();
    let isMade = false;
    const change = pool.write({ text: `update ${name} set number = 1` }).then(() => {
      isMade = true;
    });
    await until(async () => (await waiting("SyncRep")).length > 0, "it waits for the standby");
    expect(await numberOf(pool, name)).toBe(0);
    expect(isMade).toBe(false);
    await postgres.standby.start();
    await change;
    expect(await numberOf(pool, name)).toBe(1);
  }, 60_000);

  test("after the primary was killed, the promoted standby is found, with all that was confirmed", async () => {
    await using pool = await open();
    const name = await counter(pool);
    await pool.write({ text: `update ${name} set number = 1` });
    await postgres.standby.kill();
    // No standby confirms this change, so its outcome is unknown, and the standby does not have it.
    const change = pool.write({ text: `update ${name} set number = 2` });
    const refused = expect(change).rejects.toThrow(EngineUnavailable);
    await until(async () => (await waiting("SyncRep")).length > 0, "it waits for the standby");
    await postgres.kill();
    await refused;
    await until(() => !pool.isUp, "the loss is noticed");
    await expect(pool.read(one)).rejects.toThrow(EngineUnavailable);
    await postgres.standby.start();
    await postgres.promote();
    await until(() => pool.isUp, "the new primary is found");
    expect(await numberOf(pool, name)).toBe(1);
    await pool.write({ text: `update ${name} set number = 3` });
    expect(await numberOf(pool, name)).toBe(3);
    await postgres.addStandby();
  }, 60_000);

  test("a primary that has crashed is used only once the standby has all that it shows", async () => {
    await using pool = await open();
    const name = await counter(pool);
    await postgres.standby.kill();
    const change = pool.write({ text: `update ${name} set number = 1` });
    const refused = expect(change).rejects.toThrow(EngineUnavailable);
    await until(async () => (await waiting("SyncRep")).length > 0, "it waits for the standby");
    await postgres.kill();
    await refused;
    await postgres.primary.start();
    // It now shows a change that no standby has, and that its loss would take back.
    const database = url.split("/").at(-1);
    const shown = await postgres.query(`select number from ${name}`, database);
    expect(shown).toEqual([{ number: "1" }]);
    await until(async () => (await waiting("SyncRep")).length > 0, "the pool asks the standby");
    expect(pool.isUp).toBe(false);
    await postgres.standby.start();
    await until(() => pool.isUp, "the standby has it");
    expect(await numberOf(pool, name)).toBe(1);
  }, 60_000);

  test("a primary that answers nothing is lost after some seconds, and is found when it answers", async () => {
    await using pool = await open();
    await Promise.all([pool.read(one), pool.write(one)]);
    postgres.primary.signal("SIGSTOP");
    try {
      await expect(pool.read(one)).rejects.toThrow(EngineUnavailable);
      expect(pool.isUp).toBe(false);
    } finally {
      postgres.primary.signal("SIGCONT");
    }
    await until(() => pool.isUp, "it is found");
    expect((await pool.read(one)).rows).toEqual([{ one: 1 }]);
  }, 60_000);

  test("[K6] a primary that had no room for the first commit of a pool is asked again, until it confirms", async () => {
    const name = url.split("/").at(-1) as string;
    await postgres.query("create role crowded login connection limit 1");
    await postgres.query(`grant all on schema public to crowded`, name);
    const options = poolOptions(url.replace("//postgres@", "//crowded@"));
    const opened = EnginePool.open(options);
    const refused = () => options.warnings.some((text) => text.includes("too many connections"));
    await until(refused, "there is no room");
    await postgres.query("alter role crowded connection limit -1");
    await using pool = await opened;
    expect((await pool.read(one)).rows).toEqual([{ one: 1 }]);
    expect(options.warnings).toHaveLength(1);
  });

  test("a transaction whose server has stopped loses its locks after some seconds", async () => {
    await using pool = await open();
    const name = await counter(pool);
    let end = () => {};
    const held = pool.transaction(async (transaction) => {
      await transaction.query({ text: `update ${name} set number = 1` });
      await new Promise<void>((resolve) => {
        end = resolve;
      });
    });
    const refused = expect(held).rejects.toThrow(EngineUnavailable);
    await pool.write({ text: `update ${name} set number = number + 10` });
    end();
    await refused;
    expect(await numberOf(pool, name)).toBe(10);
  }, 60_000);

  test("texts with U+0000 are stored, and names sort as this program sorts them", async () => {
    await using pool = await open();
    const texts = fc.array(fc.string({ unit: "grapheme" }), { maxLength: 20 });
    const odd = ["", "\0", "\u001a", "\u001a0", "\0\u001a1", "z", "\uffee", "\u{10000}", "\ud7ff"];
    await fc.assert(
      fc.asyncProperty(texts, async (some) => {
        const all = [...new Set([...odd, ...some])];
        const { rows } = await pool.read({
          text: "select text, sort from unnest($1::text[], $2::bytea[]) as t(text, sort) order by sort",
          values: [all.map(escapeNul), all.map(sortKey)],
        });
        expect(rows.map(({ text }) => unescapeNul(text))).toEqual(all.sort());
      }),
      { numRuns: 50 },
    );
  });
});
