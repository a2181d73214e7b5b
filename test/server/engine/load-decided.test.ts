import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fieldsOf } from "../../../src/protocol/fields.ts";
import type { RequestId, UserName } from "../../../src/protocol/ids.ts";
import { limits } from "../../../src/protocol/limits.ts";
import type { MatchId } from "../../../src/protocol/matches.ts";
import {
  hasPostgres,
  type Postgres,
  skipNote,
  startPostgres,
} from "../../../src/trials/postgres.ts";
import { DecidedDatabase } from "../../support/decided-database.ts";
import { operation } from "../../support/drawn-operations.ts";

const [ana, bia, cai] = ["ana", "bia", "cai"] as unknown as readonly [UserName, UserName, UserName];
const game = "game_0000000a";

function id(number: number): MatchId {
  return number.toString(16).padStart(16, "0") as MatchId;
}

function beginning(number: number, users: readonly string[]) {
  const players = users.map((user) => ({ user, game }));
  const fields = { match: id(number), rules: "duel", players, host: game };
  return operation("matchBegin", game, { id: `begin ${number}`, ...fields });
}

function ending(number: number, winner?: string) {
  const fields = { match: id(number), term: 1, winner };
  return operation("matchEnd", game, { id: `end ${number}`, ...fields });
}

function registering(name: string, looks: readonly string[]) {
  const fields = { user: name, credential: "a hash", version: "1", looks, isOpen: true };
  return operation("register", name, fields);
}

describe.skipIf(!hasPostgres)(`what PostgreSQL loads of decided state${skipNote}`, () => {
  let postgres: Postgres;
  beforeAll(async () => {
    postgres = await startPostgres({ settings: { fsync: "off" } });
  }, 60_000);
  afterAll(async () => await postgres?.[Symbol.asyncDispose]());

  test("[D9] what is left of the packs and what came of operations are of one moment", async () => {
    await using database = await DecidedDatabase.make(postgres);
    await database.decide([operation("supply", "root", { pack: "basic", left: 1 })]);
    const purchase = operation("buy", "ana", { pack: "basic", draw: "0".repeat(32) });
    let bought: unknown;
    const slice = await database.load(
      (needs) => {
        needs.areSuppliesNeeded = true;
        needs.operations.set("", purchase);
      },
      async () => {
        bought ??= (await database.decideOne(purchase)).outcome;
      },
    );
    expect(bought).toBe("done");
    expect([slice.applied, slice.shop.left("basic")]).toEqual([1, 1]);
    expect(slice.find(ana, purchase.id)).toBeUndefined();
  });

  test("accounts are loaded by name and by look, and operations by their ids", async () => {
    await using database = await DecidedDatabase.make(postgres);
    const names = [registering("ana", ["ana", "aпa"]), registering("bia", ["bia"])];
    const mode = operation("registration", "root", { mode: "invitation", hash: "0a" });
    await database.decide([...names, registering("cai", ["cai"]), mode]);
    const slice = await database.load((needs) => {
      needs.userLooks.add("aпa").add("nobody's");
      needs.accounts.add(bia);
      needs.operations.set("", { by: cai, id: "1" as RequestId });
    });
    expect(slice.accounts.all().map(({ user }) => user)).toEqual(["ana", "bia"]);
    expect(slice.accounts.ownerWith(["aпa"])?.user).toBe("ana");
    expect(slice.accounts.registration).toEqual({ mode: "invitation", hash: "0a" });
    expect(slice.find(cai, "1" as RequestId)).toMatchObject({ slot: 1, outcome: "done" });
    expect(slice.find(ana, "1" as RequestId)).toBeUndefined();
  });

  test("a request that needs nothing decided learns the last slot, and no more", async () => {
    await using database = await DecidedDatabase.make(postgres);
    await database.decide([registering("ana", ["ana"])]);
    await database.decide([beginning(1, ["ana", "bia"])]);
    const { applied, accounts, shop, matches } = await database.load();
    expect(applied).toBe(2);
    expect([accounts.all(), shop.owners(), matches.opened()]).toEqual([[], [], []]);
  });

  test("a user's wallet, deck and offers are loaded, also offers by others, and the stock that all share", async () => {
    await using database = await DecidedDatabase.make(postgres);
    const buying = (user: string, draw: string) => {
      return operation("buy", user, { pack: "basic", draw: draw.repeat(32) });
    };
    const [one, other] = await database.decide([buying("ana", "0"), buying("bia", "f")]);
    const [given, wanted] = [one, other].map(
      (decided) => fieldsOf(decided?.result).cards as string[],
    );
    const offer = { to: "bia", give: given?.slice(0, 1), want: wanted?.slice(0, 1) };
    await database.decide([
      operation("deck", "bia", { id: "2", cards: wanted }),
      operation("offer", "ana", { id: "2", ...offer }),
      operation("offer", "ana", { id: "3", ...offer }),
    ]);
    const { shop } = await database.load((needs) => {
      needs.wallets.add(bia);
      needs.cardsOf.add(bia);
      needs.isStockNeeded = true;
    });
    expect(shop.coins(bia)).toBe(limits.firstCoins - 100);
    expect(shop.deckOf(bia)).toEqual(wanted);
    expect(shop.cardsOf(bia)).toEqual([...(wanted ?? [])].sort());
    expect(shop.cardsOf(ana)).toEqual([]);
    expect(shop.tradesOf(bia).map(({ trade }) => trade)).toEqual([1, 2]);
    expect(shop.stock()).toMatchObject({ common: 1_600 - 8, uncommon: 800 - 2 });
    expect(shop.offers).toBe(2);
  });

  test("a player's last ten matches are loaded in their order, whoever was first, with the open match", async () => {
    await using database = await DecidedDatabase.make(postgres);
    // The ids fall, so that their order is not that of the ends.
    const numbers = Array.from({ length: 14 }, (_, at) => 100 - at);
    for (const number of numbers) {
      const users = number % 3 === 0 ? ["bia", "ana"] : ["ana", "bia"];
      await database.decide([beginning(number, users), ending(number, "ana")]);
    }
    await database.decide([beginning(1, ["cai", "ana"])]);
    const { matches } = await database.load((needs) => needs.players.add(ana));
    const last = numbers.slice(-10).reverse().map(id);
    expect(matches.endedOf(ana).map(({ match }) => match)).toEqual(last);
    expect(matches.openOf(ana)?.match).toBe(id(1));
    expect(matches.record(ana)).toMatchObject({ won: 14, lost: 0 });
  });

  test("the ranking has the best 20, and of equal ones those whose names come first in a server's order", async () => {
    await using database = await DecidedDatabase.make(postgres);
    // U+1D538 comes before U+FF21 in units of UTF-16, but not in bytes of UTF-8.
    const names = ["\uff21", "\u{1d538}"].flatMap((letter) => {
      return Array.from({ length: 12 }, (_, at) => `${letter}${at}`);
    });
    const won = names.flatMap((name, at) => {
      return [beginning(at + 1, [name, `loser${at}`]), ending(at + 1, name)];
    });
    await database.decide(won);
    const { matches } = await database.load((needs) => {
      needs.isRankingNeeded = true;
    });
    expect(matches.ranking().map(({ user }) => user)).toEqual([...names].sort().slice(0, 20));
    expect(matches.records()).toHaveLength(20);
  });

  test("a page of open matches begins anywhere, and says where the next one begins", async () => {
    await using database = await DecidedDatabase.make(postgres);
    const all = Array.from({ length: 450 }, (_, at) => at + 1);
    await database.decide(all.map((number) => beginning(number, [`a${number}`, `b${number}`])));
    const pages = await database.load((needs) => needs.openMatchesFrom.add("").add(id(201)));
    expect(pages.matches.page(undefined)).toMatchObject({ next: id(201) });
    expect(pages.matches.page(id(201))).toMatchObject({ next: id(401) });
    const { matches } = await database.load((needs) => needs.openMatchesFrom.add(id(401)));
    expect(matches.page(id(401)).matches.map(({ match }) => match)).toEqual(all.slice(400).map(id));
    expect(matches.page(id(401)).next).toBeUndefined();
  });
});
