import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { digest } from "../../../src/platform/digest.ts";
import { type Random, seededRandom } from "../../../src/platform/random.ts";
import type { UserName } from "../../../src/protocol/ids.ts";
import type { MatchId } from "../../../src/protocol/matches.ts";
import type { Decided, Operation } from "../../../src/protocol/operation.ts";
import { type Content, newContent, operationsOf } from "../../../src/server/core/facts.ts";
import type { Shop } from "../../../src/server/core/shop/shop.ts";
import { DecidedDatabase } from "../../support/decided-database.ts";
import { DrawnOperations } from "../../support/drawn-operations.ts";
import { hasPostgres, type Postgres, startPostgres, why } from "../../support/postgres.ts";

/** What other servers of a cluster get of a value: its JSON. */
function asJson<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

/** The log of decisions of servers that keep their state themselves. */
class Model {
  readonly content: Content = newContent(digest, undefined);

  /** Decides operations in a slot. Slots that are left out stay empty. */
  decide(operations: readonly Operation[], timeMs: number, slot: number): Decided[] {
    const { log } = this.content;
    const told: Decided[] = [];
    const epoch = { view: 1, term: 1 };
    log.onApplied = (_, decided) => told.push(decided);
    for (let next = log.applied + 1; next <= slot; next += 1) {
      const ops = next === slot ? asJson(operations) : [];
      log.add({ epoch, slot: next, time: next === slot ? timeMs : 0, ops });
    }
    log.settle({ epoch, upTo: slot });
    return told;
  }
}

/** Draws operations of one asker. None of them is ever too old for the log of decisions (D9). */
class Asker {
  readonly #drawn: DrawnOperations;
  readonly #random: Random;
  /** PostgreSQL refuses U+0000, which ids may have. */
  readonly #prefix: string;
  #made = 0;
  #last: Operation[] = [];

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.#drawn = new DrawnOperations(this.#random);
    this.#prefix = `\u0000${seed}`;
  }

  batch(count: number, shop: Shop): Operation[] {
    const operations: Operation[] = [];
    while (operations.length < count) {
      const again = this.#last[Math.floor(this.#random() * 200)];
      if (again !== undefined) {
        operations.push(again);
        continue;
      }
      const made = this.#random() < 0.2 ? this.#fitting(shop) : [this.#any()];
      operations.push(...made);
      this.#last = [...this.#last, ...made].slice(-10);
    }
    return operations;
  }

  number(least: number, most: number): number {
    return least + Math.floor(this.#random() * (most + 1 - least));
  }

  #any(): Operation {
    const drawn = this.#drawn.operation(0) as Operation;
    return { ...drawn, id: `${this.#prefix} ${drawn.id}`, since: 10 ** 9 } as Operation;
  }

  /** Exchanges and decks of cards, which need cards that somebody owns. */
  #fitting(shop: Shop): Operation[] {
    const owners = shop.owners();
    const open = shop.trades();
    const pick = <T>(list: readonly T[]) => list[Math.floor(this.#random() * list.length)];
    const [[given, by], [wanted, to]] = [
      pick(owners) ?? ["", "user1"],
      pick(owners) ?? ["", "user2"],
    ];
    const offer = this.#operation("offer", by, { to, give: [given], want: [wanted] });
    const next = { trade: shop.offers + 1, to };
    const answers = [pick(open) ?? next, next].map((trade) => {
      return this.#operation("trade", trade.to, {
        trade: trade.trade,
        isAccepted: this.#random() < 0.8,
      });
    });
    const deck = this.#operation("deck", by, { cards: shop.cardsOf(by as UserName).slice(0, 7) });
    return pick([[offer], [offer, ...answers], answers, [deck]]) ?? [];
  }

  #operation(kind: string, by: string, fields: object): Operation {
    this.#made += 1;
    return operation(kind, by, {
      ...fields,
      id: `${this.#prefix} fitting ${this.#made}`,
      since: 10 ** 9,
    });
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
    needs.hasStock = true;
    needs.hasMatchCount = true;
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

function operation(kind: string, by: string, fields: object): Operation {
  const rights = { isOperator: true };
  return { kind, by, id: "1", since: 0, rights, ...fields } as unknown as Operation;
}

function registering(name: string, id: string): Operation {
  const fields = { user: name, credential: "a hash", version: "1", looks: [name], isOpen: true };
  return operation("register", name, { id, ...fields });
}

describe.skipIf(!hasPostgres)(`operations that PostgreSQL decides${why}`, () => {
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
      expect(asJson(told)).toEqual(asJson(model.decide(operations, timeMs, slot)));
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
      expect(told).toEqual(asJson(model.decide(operations, timeMs, slot)));
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
      needs.hasStock = true;
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
