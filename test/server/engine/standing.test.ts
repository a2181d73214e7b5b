import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ServerName } from "../../../src/protocol/ids.ts";
import { EngineUnavailable, type Standing } from "../../../src/server/engine/engine.ts";
import type { EnginePool } from "../../../src/server/engine/postgres/pool.ts";
import { ServerDirectory } from "../../../src/server/engine/postgres/standing.ts";
import { openEngine } from "../../../src/server/engine/postgres/start.ts";
import {
  hasPostgres,
  type Postgres,
  skipNote,
  startPostgres,
} from "../../../src/trials/postgres.ts";
import { poolOptions } from "../../support/engine-pool.ts";
import { until } from "../../support/until.ts";

const [ana, bia, caio] = ["a", "b", "c"].map((letter) => `server_0000000${letter}`) as [
  ServerName,
  ServerName,
  ServerName,
];

const reportOf = (name: ServerName) => ({ name, address: "tcp://h:1", clock: 7, rate: 0.5 });

describe.skipIf(!hasPostgres)(`servers that know of each other by PostgreSQL${skipNote}`, () => {
  let postgres: Postgres;
  let pool: EnginePool;
  let directory: ServerDirectory;

  beforeAll(async () => {
    postgres = await startPostgres({ standby: true });
    pool = await openEngine(poolOptions(await postgres.createDatabase()));
    directory = new ServerDirectory(pool);
  }, 60_000);
  afterAll(async () => {
    await pool?.[Symbol.asyncDispose]();
    await postgres?.[Symbol.asyncDispose]();
  });

  const names = ({ servers }: Standing) => servers.map(({ name }) => name);

  /** Lets servers report until what they hear is as wanted. */
  async function heard(by: readonly ServerName[], fits: (standing: Standing) => boolean) {
    let standing: Standing | undefined;
    const look = async () => {
      for (const name of by) standing = await directory.report(reportOf(name));
      return standing !== undefined && fits(standing);
    };
    await until(look, "the servers hear it");
    return standing as Standing;
  }

  test("each server hears of all that have reported lately, and what they have told", async () => {
    const before = Date.now();
    const standing = await heard([bia, ana], (all) => all.servers.length === 2);
    expect(standing.servers).toEqual(
      [ana, bia].map((name) => ({ ...reportOf(name), silentMs: expect.any(Number) })),
    );
    for (const { silentMs } of standing.servers) expect(silentMs).toBeLessThan(1_500);
    expect(standing.timeMs).toBeGreaterThan(before - 1_000);
    expect(standing.timeMs).toBeLessThan(Date.now() + 1_000);
    const alone = await heard([bia], (all) => all.servers.length === 1);
    expect(names(alone)).toEqual([bia]);
  });

  test("[R7] a server hears of the highest clock that any server has told, also one that has ended", async () => {
    await directory.report({ ...reportOf(caio), clock: 5_000_000 });
    await heard([bia], (all) => all.servers.length === 1);
    expect((await directory.report(reportOf(bia))).clock).toBe(5_000_000);
  });

  test("one of the servers is the keeper, and after its silence another, with a higher fence", async () => {
    const first = (await heard([ana, bia], ({ keeper }) => keeper !== undefined)).keeper;
    const others = [ana, bia, caio].filter((name) => name !== first?.name);
    // The keeper stays the same while it reports, however often the others do.
    const still = await heard([...others, first?.name as ServerName], () => true);
    expect(still.keeper).toEqual(first);
    const second = await heard(others, ({ keeper }) => others.includes(keeper?.name as ServerName));
    expect(second.keeper?.fence).toBeGreaterThan(first?.fence as number);
  });

  test("a name has one holder at a time, and each later holder has a higher fence", async () => {
    const lease = (holder: ServerName, ttlMs: number) => directory.lease("stock", holder, ttlMs);
    const first = await lease(ana, 60_000);
    expect(first).toEqual({ fence: 1 });
    expect(await lease(bia, 60_000)).toBeUndefined();
    expect(await lease(ana, 1)).toEqual(first);
    let next: Awaited<ReturnType<typeof lease>>;
    await until(async () => {
      next = await lease(bia, 1);
      return next !== undefined;
    }, "the lease has ended");
    expect(next).toEqual({ fence: 2 });
    let again: typeof next;
    await until(async () => {
      again = await lease(bia, 1);
      return again !== undefined && again.fence > 2;
    }, "a lease that has ended is a new one, also for its last holder");
    expect(again).toEqual({ fence: 3 });
  });

  test("of many who take a name at once, one gets it", async () => {
    const holders = Array.from({ length: 20 }, (_, index) => `server_${index + 10}` as ServerName);
    const taken = await Promise.all(
      holders.map((holder) => directory.lease("race", holder, 60_000)),
    );
    expect(taken.filter((one) => one !== undefined)).toEqual([{ fence: 1 }]);
  });

  test("the holders are the primary and the standbys that confirm", async () => {
    expect((await directory.report(reportOf(ana))).holders).toEqual(["primary", "standby"]);
  });

  test("while the standby is away, servers hear of each other, and no name gets a new holder", async () => {
    await directory.lease("pack", ana, 1);
    await postgres.standby.kill();
    try {
      let isTaken = false;
      const taking = directory.lease("pack", bia, 60_000).then((taken) => {
        isTaken = taken !== undefined;
      });
      const isHeard = (standing: Standing) => {
        return standing.holders.length === 1 && standing.servers.length === 2;
      };
      const standing = await heard([ana, bia], isHeard);
      expect(standing.holders).toEqual(["primary"]);
      expect(names(standing)).toEqual([ana, bia]);
      expect(isTaken).toBe(false);
      await postgres.standby.start();
      await taking;
      await until(
        async () => (await directory.lease("pack", bia, 60_000)) !== undefined,
        "it is taken",
      );
    } finally {
      await postgres.standby.start();
    }
  }, 60_000);

  test("a fence is higher than all before, also after the primary was lost", async () => {
    const before = (await directory.lease("lane", ana, 60_000))?.fence as number;
    await postgres.kill();
    await until(() => !pool.isUp, "the loss is noticed");
    await expect(directory.report(reportOf(ana))).rejects.toThrow(EngineUnavailable);
    await postgres.promote();
    await until(() => pool.isUp, "the new primary is found");
    expect(await directory.lease("lane", bia, 60_000)).toBeUndefined();
    expect(await directory.lease("lane", ana, 1)).toEqual({ fence: before });
    let fence = 0;
    await until(async () => {
      fence = (await directory.lease("lane", bia, 60_000))?.fence ?? 0;
      return fence > 0;
    }, "the lease has ended");
    expect(fence).toBeGreaterThan(before);
  }, 60_000);
});
