import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { digest } from "../../../src/platform/digest.ts";
import type { UserName } from "../../../src/protocol/ids.ts";
import type { MatchId } from "../../../src/protocol/matches.ts";
import { type Decided, keyOf, type Operation } from "../../../src/protocol/operation.ts";
import { type Content, newContent, operationsOf } from "../../../src/server/core/facts.ts";
import {
  hasPostgres,
  type Postgres,
  skipNote,
  startPostgres,
} from "../../../src/trials/postgres.ts";
import { DecidedDatabase } from "../../support/decided-database.ts";
import { Asker, operation } from "../../support/drawn-operations.ts";

/** What other servers of a cluster get of a value: its JSON. */
function asJson<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

/** The log of decisions of servers that keep their state themselves. */
class Model {
  readonly content: Content = newContent(digest, undefined);
  /** All outcomes, because the log forgets those of long ago (D9). */
  readonly #told = new Map<string, Decided>();

  /** Decides operations in a slot. Slots that are left out stay empty. */
  decide(operations: readonly Operation[], timeMs: number, slot: number): unknown[] {
    const { log } = this.content;
    const epoch = { view: 1, term: 1 };
    const isNew = (one: Operation, at: number) => {
      const first = operations.findIndex((other) => keyOf(other) === keyOf(one));
      return first === at && !this.#told.has(keyOf(one));
    };
    log.onApplied = (operation, decided) => this.#told.set(keyOf(operation), decided);
    for (let next = log.applied + 1; next <= slot; next += 1) {
      const ops = next === slot ? asJson(operations.filter(isNew)) : [];
      log.add({ epoch, slot: next, time: next === slot ? timeMs : 0, ops });
    }
    log.settle({ epoch, upTo: slot });
    return operations.map((operation) => asJson(this.#told.get(keyOf(operation))));
  }
}

const users = ["constructor", ...Array.from({ length: 40 }, (_, at) => `user${at}`)] as UserName[];

/** Loads all that operations of askers can have made. */
function everything(database: DecidedDatabase) {
  return database.load((needs) => {
    for (const user of users) {
      needs.accounts.add(user);
      needs.cardsOf.add(user);
      needs.players.add(user);
      needs.wallets.add(user);
    }
    for (let match = 0; match < 200; match += 1) {
      needs.matches.add(match.toString(16).padStart(16, "0") as MatchId);
    }
    needs.isStockNeeded = true;
    needs.isMatchCountNeeded = true;
  });
}

function listsOf({ accounts, shop, matches }: Pick<Content, "accounts" | "shop" | "matches">) {
  return asJson({
    accounts: accounts.all(),
    registration: accounts.registration,
    wallets: shop.wallets(),
    owners: shop.owners(),
    stock: shop.stock(),
    decks: shop.decks(),
    offers: shop.offers,
    trades: shop.trades(),
    supplies: shop.supplies(),
    opened: matches.opened(),
    remembered: matches.remembered(),
    records: matches.records(),
    ranking: matches.ranking(),
    endedOf: users.map((user) => matches.endedOf(user)),
  });
}

function registering(name: string, id: string): Operation {
  const fields = { user: name, credential: "a hash", version: "1", looks: [name], isOpen: true };
  return operation("register", name, { id, ...fields });
}

describe.skipIf(!hasPostgres)(`operations that PostgreSQL decides${skipNote}`, () => {
  let postgres: Postgres;
  beforeAll(async () => {
    // None of these tests kills it.
    postgres = await startPostgres({ settings: { fsync: "off" } });
  }, 60_000);
  afterAll(async () => await postgres?.[Symbol.asyncDispose]());

  test("[D5] random operations have the outcomes that the log of decisions gives them, and make the same state", {
    timeout: 120_000,
  }, async () => {
    await using database = await DecidedDatabase.make(postgres);
    const [model, asker] = [new Model(), new Asker(1)];
    const outcomes = new Set<string>();
    const done = new Set<string>();
    let repeats = 0;
    for (let slot = 1; slot <= 200; slot += 1) {
      const operations = asker.batch(asker.number(1, 40), model.content.shop);
      const timeMs = asker.number(1_000, 2_000);
      const told = await database.decide(operations, timeMs);
      expect(asJson(told)).toEqual(model.decide(operations, timeMs, slot));
      for (const { outcome, operation } of told) {
        if (outcome === "done") done.add(operation.kind);
        outcomes.add(outcome);
      }
      repeats += told.filter((one) => one.slot < slot).length;
      if (slot % 50 > 0) continue;
      const loaded = await everything(database);
      expect(listsOf(loaded)).toEqual(listsOf(model.content));
      expect(loaded.matches.openElsewhere).toBe(0);
      expect(loaded.applied).toBe(slot);
    }
    expect(repeats).toBeGreaterThan(20);
    expect([...done].sort()).toEqual(Object.keys(operationsOf(model.content)).sort());
    expect(outcomes.size).toBeGreaterThan(15);
  });

  test("[D1] four servers decide at once, and each operation is decided once, in an order that all see", {
    timeout: 120_000,
  }, async () => {
    await using database = await DecidedDatabase.make(postgres);
    const askers = [11, 12, 13, 14].map((seed) => new Asker(seed));
    const batches = new Map<number, { operations: Operation[]; timeMs: number; told: object }>();
    await Promise.all(
      askers.map(async (asker) => {
        for (let count = 0; count < 25; count += 1) {
          // A batch of so many operations has one that is new.
          const { shop } = await everything(database);
          const operations = asker.batch(asker.number(10, 30), shop);
          const timeMs = asker.number(1_000, 2_000);
          const [told, again] = await Promise.all([
            database.decide(operations, timeMs),
            database.decide(operations, timeMs),
          ]);
          expect(asJson(again)).toEqual(asJson(told));
          const slot = Math.max(...told.map((one) => one.slot));
          batches.set(slot, { operations, timeMs, told: asJson(told) });
        }
      }),
    );
    const model = new Model();
    for (const [slot, { operations, timeMs, told }] of [...batches].sort(([a], [b]) => a - b)) {
      expect(told).toEqual(model.decide(operations, timeMs, slot));
    }
    expect(batches.size).toBe(100);
    const loaded = await everything(database);
    expect(listsOf(loaded)).toEqual(listsOf(model.content));
    expect(loaded.applied).toBe(200);
  });

  test("[D5] of 50 clients that register the same names at once, each name has one winner", {
    timeout: 120_000,
  }, async () => {
    await using database = await DecidedDatabase.make(postgres);
    const names = Array.from({ length: 20 }, (_, at) => `name${at}`);
    const clients = Array.from({ length: 50 }, async (_, client) => {
      const won: string[] = [];
      for (const name of names) {
        const { outcome } = await database.decideOne(registering(name, `client ${client}`));
        if (outcome === "done") won.push(name);
        else expect(outcome).toBe("name_taken");
      }
      return won;
    });
    const won = (await Promise.all(clients)).flat();
    expect(won.sort()).toEqual([...names].sort());
  });

  test("[D5] of 200 buyers at once, ten get the last ten packs, and no card is sold twice", {
    timeout: 120_000,
  }, async () => {
    await using database = await DecidedDatabase.make(postgres);
    await database.decideOne(operation("supply", "root", { pack: "basic", left: 10 }));
    const buyers = Array.from({ length: 200 }, async (_, at) => {
      const draw = at.toString(16).padStart(32, "7");
      const buying = operation("buy", `buyer${at}`, { pack: "basic", draw });
      return await database.decideOne(buying);
    });
    const decided = await Promise.all(buyers);
    const sold = decided.flatMap(({ outcome, operation: { by } }) =>
      outcome === "done" ? by : [],
    );
    expect(sold).toHaveLength(10);
    expect(new Set(decided.map(({ outcome }) => outcome))).toEqual(new Set(["done", "sold_out"]));
    const { shop } = await database.load((needs) => {
      for (const {
        operation: { by },
      } of decided)
        needs.wallets.add(by).add(by);
      for (const {
        operation: { by },
      } of decided)
        needs.cardsOf.add(by);
      needs.isStockNeeded = true;
    });
    expect(shop.left("basic")).toBe(0);
    expect(shop.wallets()).toEqual(sold.sort().map((user) => [user, 900]));
    expect(sold.map((user) => shop.cardsOf(user).length)).toEqual(sold.map(() => 5));
    expect(shop.stock()).toMatchObject({ common: 1_600 - 40, uncommon: 800 - 10 });
  });

  test("[D9] an operation that was decided long ago is not done again, and its first outcome is told", async () => {
    await using database = await DecidedDatabase.make(postgres);
    const first = await database.decideOne(registering("ana", "id\u0000"));
    for (let id = 0; id < 40; id += 1) {
      await database.decideOne(operation("deck", "ana", { id: `${id}`, cards: [] }));
    }
    const again = await database.decideOne({ ...registering("ana", "id\u0000"), version: "other" });
    expect(again).toEqual(asJson(first));
    const { accounts } = await database.load((needs) => needs.accounts.add("ana" as UserName));
    expect(accounts.all()).toMatchObject([{ id: "id\u0000", version: "1" }]);
  });

  test("offers to one user and open matches have limits, which count also what an operation does not name", async () => {
    await using database = await DecidedDatabase.make(postgres);
    await database.run(`
      insert into cards values ('wolf-rare-1', 'wolf-rare', 'ana'), ('lion-rare-1', 'lion-rare', 'bia');
      insert into trades select number, 'user' || number, 'bia', '{wolf-rare-2}', '{lion-rare-1}'
        from generate_series(1, 99) number;
      update log_head set offers = 99;
      insert into open_matches select lpad(to_hex(number), 16, '0'), 'duel', 'a' || number,
        'game_0000000a', 'b' || number, 'game_0000000a', 1, 'game_0000000a'
        from generate_series(1, 9999) number;
    `);
    const offer = { to: "bia", give: ["wolf-rare-1"], want: ["lion-rare-1"] };
    const offers = ["1", "2"].map((id) => operation("offer", "ana", { id, ...offer }));
    const [fits, surplus] = await database.decide(offers);
    expect(fits).toMatchObject({ outcome: "done", result: { trade: 100 } });
    expect(surplus?.outcome).toBe("too_many_trades");

    const game = "game_0000000a";
    const begin = (match: string) => {
      const players = ["c", "d"].map((letter) => ({ user: `${letter}${match}`, game }));
      return operation("matchBegin", game, {
        id: match,
        match,
        rules: "duel",
        players,
        host: game,
      });
    };
    const end = operation("matchVoid", "root", { match: "0000000000000001" });
    const [one, two, three] = ["aa", "bb", "cc"].map((last) => begin(last.padStart(16, "f")));
    const decided = await database.decide([one, two, end, three] as Operation[]);
    const outcomes = decided.map(({ outcome }) => outcome);
    expect(outcomes).toEqual(["done", "too_many_matches", "done", "done"]);
  });

  test("an operation of an unknown kind is refused with all that came with it, and nothing is decided", async () => {
    await using database = await DecidedDatabase.make(postgres);
    const batch = [registering("ana", "1"), operation("toString", "ana", {})];
    await expect(database.decide(batch)).rejects.toThrow('does not know operations "toString"');
    expect((await database.load()).applied).toBe(0);
    expect(await database.run("select * from accounts")).toEqual([]);
  });

  test("the time of decisions never falls, although the servers' clocks differ", async () => {
    await using database = await DecidedDatabase.make(postgres);
    const match = "00000000000000aa" as MatchId;
    const players = ["ana", "bia"].map((user) => ({ user, game: "game_0000000a" }));
    const fields = { match, rules: "duel", players, host: "game_0000000a" };
    await database.decide([operation("matchBegin", "game_0000000a", fields)], 9_000);
    const ending = operation("matchEnd", "game_0000000a", {
      id: "2",
      match,
      term: 1,
      winner: "ana",
    });
    const [ended] = await database.decide([ending], 4_000);
    expect(ended?.result).toMatchObject({ winner: "ana", endedMs: 9_000 });
  });
});
