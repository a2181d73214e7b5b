import { afterAll, beforeAll, expect, test } from "vitest";
import { ClusterCommands } from "./cluster-commands.ts";

let commands: ClusterCommands;

beforeAll(async () => {
  commands = await ClusterCommands.start();
  for (const user of ["ana", "eva", "leo"]) await commands.run(["login", user]);
}, 60_000);

afterAll(() => commands?.[Symbol.asyncDispose](), 30_000);

const as = (user: string, ...args: string[]) => commands.run([...args, "--user", user]);

/** Buys a pack. @returns the id of its first card */
async function buy(user: string, pack: string): Promise<string> {
  const { stdout } = await as(user, "shop", "buy", pack, "--json");
  const [first = ""] = stdout.split("\n");
  return JSON.parse(first).card;
}

test("[Q18] `shop buy` prints the five cards of a pack on standard output, and what is left of the coins for the person", async () => {
  const { code, stdout, stderr } = await as("ana", "shop", "buy", "premium");
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: "You bought the pack premium, and have 500 coins left.\n",
  });
  expect(
    stdout.match(/^[a-z]+-(common|rare)-\d+ {2}[A-Z][a-z]+, \S+, \w+, power \d+$/gm),
  ).toHaveLength(5);
  expect((await as("ana", "shop")).stdout).toMatch(/^You have 500 coins\.\nbasic: 100 coins, /);
  const poor = await as("ana", "shop", "buy", "legendary", "--lang", "pt-br");
  expect(poor).toMatchObject({ code: 1, stdout: "" });
  expect(poor.stderr).toContain("Suas moedas não bastam para este pacote");
  expect((await as("ana", "shop", "buy", "huge")).code).toBe(2);
});

test("[Q19] `cards offer` and `cards accept` exchange cards, and `cards drop` ends an offer", async () => {
  const [hers, theirs] = [await buy("eva", "basic"), await buy("leo", "basic")];
  const offer = () => as("eva", "cards", "offer", "leo", hers, theirs, "--json");
  const { trade } = JSON.parse((await offer()).stdout);
  expect((await as("leo", "shop")).stdout).toContain(`Offer ${trade}: eva gives ${hers} to leo`);
  expect(await as("leo", "cards", "drop", String(trade))).toMatchObject({ code: 0 });
  expect((await as("leo", "cards", "accept", String(trade))).code).toBe(1);
  const again = JSON.parse((await offer()).stdout).trade;
  expect(await as("leo", "cards", "accept", String(again))).toMatchObject({
    code: 0,
    stderr: `The cards of offer ${again} are exchanged.\n`,
  });
  expect((await as("leo", "cards")).stdout).toContain(hers);
  expect((await as("eva", "cards")).stdout).toContain(theirs);
  expect((await as("leo", "cards", "accept", "x")).code).toBe(2);
});
