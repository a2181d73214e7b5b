import { expect, test } from "vitest";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { raceForNames } from "./race-for-names.ts";

const clients = 10;
const names = 40;

test("[R10] when many clients register the same names, each name gets one owner, even if coordinators fail", {
  timeout: 60_000,
}, async () => {
  await using temporary = await temporaryFolder();
  const race = await raceForNames({
    folder: temporary.path,
    clients,
    names,
    inFlight: 8,
    rounds: 1,
    seed: 1,
  });
  expect(race.violations).toEqual([]);
  expect(race.faults).toEqual({ kill: 1, stop: 1, cut: 1 });
  expect(race.failovers.map(({ fault }) => fault)).toEqual(["kill", "stop", "cut"]);
  expect(race.claims).toHaveLength(clients * names);
  const winners = race.claims.filter(({ answers }) => answers[0]?.answer === "won");
  expect(new Set(winners.map(({ name }) => name)).size).toBe(names);
  expect(winners).toHaveLength(names);
  // Besides the checker, the test itself compares the accounts on the disks with the answers.
  expect(race.accounts).toHaveLength(3);
  for (const { replica, accounts = [] } of race.accounts) {
    const owners = new Map(accounts.map(({ user, id }) => [user, id]));
    expect(owners, replica).toEqual(new Map(winners.map(({ name, id }) => [name, id])));
  }
});
