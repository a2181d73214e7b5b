import { expect, test } from "vitest";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { hasPostgres, skipNote } from "../../src/trials/postgres.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { type RaceResult, raceForNames } from "./race-for-names.ts";

const clients = 10;
const names = 40;

async function race(hasEngine: boolean): Promise<RaceResult> {
  await using temporary = await temporaryFolder();
  const size = { clients, names, inFlight: 8, rounds: 1 };
  return await raceForNames({ ...size, folder: temporary.path, seed: 1, hasEngine });
}

/** Besides the checker, the tests themselves compare what is kept with the answers. */
function expectOwners({ violations, faults, claims, accounts }: RaceResult): void {
  expect(violations).toEqual([]);
  expect(faults).toEqual({ kill: 1, stop: 1, cut: 1 });
  expect(claims).toHaveLength(clients * names);
  const winners = claims.filter(({ answers }) => answers[0]?.answer === "won");
  expect(new Set(winners.map(({ name }) => name)).size).toBe(names);
  expect(winners).toHaveLength(names);
  for (const { replica, accounts: kept = [] } of accounts) {
    const owners = new Map(kept.map(({ user, id }) => [user, id]));
    expect(owners, replica).toEqual(new Map(winners.map(({ name, id }) => [name, id])));
  }
}

test("[R10] when many clients register the same names, each name gets one owner, even if coordinators fail", {
  timeout: 60_000,
}, async (context) => {
  context.skip(LocalCluster.hasEngine, "servers with an engine elect nobody");
  const result = await race(false);
  expectOwners(result);
  expect(result.failovers.map(({ fault }) => fault)).toEqual(["kill", "stop", "cut"]);
  expect(result.accounts).toHaveLength(4);
});

test.skipIf(!hasPostgres)(
  `[R10] [K5] when many clients register the same names at servers with an engine, each name gets one owner, even if servers fail${skipNote}`,
  // A server that is stopped or cut off may keep a lock of the engine for three seconds.
  { timeout: 120_000 },
  async () => {
    const result = await race(true);
    expectOwners(result);
    expect(result.accounts).toHaveLength(2);
  },
);
