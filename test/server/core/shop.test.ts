import { describe, expect, test } from "vitest";
import { kindOf, type PackName, packs, type Rarity } from "../../../src/protocol/cards.ts";
import type { ReplyData } from "../../../src/protocol/client-messages.ts";
import type { RequestId, UserName } from "../../../src/protocol/ids.ts";
import { limits } from "../../../src/protocol/limits.ts";
import type { Offered } from "../../../src/protocol/replies.ts";
import type { FloodPaces } from "../../../src/server/core/serving/flood.ts";
import { Shop } from "../../../src/server/core/shop/shop.ts";
import { forward } from "../../simulation/operator.ts";
import { type Fields, Scene } from "../../support/account-scene.ts";
import { coordinator, others } from "../../support/coordinators.ts";
import { checkpointText, servingCluster } from "../../support/core-cluster.ts";
import type { VirtualServer } from "../../support/virtual-server.ts";

/** A cluster with accounts, and requests of its users about the shop. */
class Market {
  readonly scene: Scene;
  readonly #tokens: Record<string, string> = {};

  constructor(...users: [FloodPaces, ...string[]] | string[]) {
    const [first, ...rest] = users;
    const flood = typeof first === "object" ? first : undefined;
    this.scene = new Scene(flood);
    const names = (typeof first === "object" ? rest : users) as string[];
    for (const user of names) this.#tokens[user] = this.scene.user(user);
  }

  /** @param data the fields; `at` is the number of the server, by default 1 */
  ask(user: string, service: string, { at = 1, ...data }: Fields = {}): ReplyData {
    const token = this.#tokens[user];
    const server = this.scene.cluster.server(Number(at));
    return this.scene.ask(service, { user, ...data, token }, server);
  }

  buy(user: string, pack: PackName = "basic", data: Fields = {}): ReplyData {
    return this.ask(user, "buy", { pack, ...data });
  }

  /** Buys a basic pack. @returns its first card */
  card(user: string): string {
    return (this.buy(user).cards as string[])[0] as string;
  }

  supply(pack: PackName, left?: number): ReplyData {
    return this.scene.ask("supply", { pack, left, token: this.scene.operator });
  }

  cards(user: string): string[] {
    return this.ask(user, "cards").cards as string[];
  }

  coins(user: string): number {
    return this.ask(user, "shop").coins as number;
  }

  trades(user: string): Offered[] {
    return this.ask(user, "shop").trades as Offered[];
  }

  offer([user, to]: readonly [string, string], give: string[], want: string[]): ReplyData {
    return this.ask(user, "offer", { to, give, want });
  }
}

describe("packs of cards", () => {
  test.each(Object.entries(packs))(
    "[Q18] the pack %s has five cards of its rarities, which belong to the buyer at every server",
    (pack, { price, cards }) => {
      const market = new Market("ana", "bia");
      if (price > limits.firstCoins) {
        expect(market.buy("ana", pack as PackName)).toMatchObject({ code: "too_few_coins" });
        return;
      }
      const reply = market.buy("ana", pack as PackName);
      expect(reply).toMatchObject({ status: "OK", coins: limits.firstCoins - price });
      const bought = reply.cards as string[];
      const found: Partial<Record<Rarity, number>> = {};
      for (const card of bought) {
        const { rarity } = kindOf(card) ?? { rarity: "common" };
        found[rarity] = (found[rarity] ?? 0) + 1;
      }
      expect(found).toEqual(cards);
      market.scene.cluster.runUntilEqual();
      for (const number of [1, 2, 3]) {
        const asked = market.ask("ana", "cards", { at: number });
        expect(asked.cards).toEqual([...bought].sort());
      }
    },
  );

  test("[Q18] a purchase that is asked for twice is made once, and both get the same cards", () => {
    const market = new Market("ana");
    const first = market.buy("ana", "basic", { id: "1" });
    const again = market.ask("ana", "buy", { pack: "basic", id: "1", at: 2 });
    expect([again.cards, again.slot]).toEqual([first.cards, first.slot]);
    expect(market.coins("ana")).toBe(limits.firstCoins - packs.basic.price);
    expect(market.buy("ana", "premium", { id: "1" })).toMatchObject({ code: "id_reused" });
  });

  test("[Q18] a buyer without enough coins gets nothing, and pays nothing", () => {
    const market = new Market("ana");
    for (let count = 0; count < 2; count += 1) market.buy("ana", "premium");
    expect(market.buy("ana")).toMatchObject({ code: "too_few_coins", retry: false });
    expect([market.coins("ana"), market.cards("ana")]).toEqual([0, expect.any(Array)]);
    expect(market.cards("ana")).toHaveLength(10);
  });

  test("[Q18] no more packs are sold than an administrator has put up for sale", () => {
    const market = new Market("ana", "bia");
    expect(market.supply("basic", 3)).toMatchObject({ status: "OK" });
    const replies = ["ana", "bia", "ana", "bia", "ana"].map((user) => market.buy(user).code);
    expect(replies).toEqual([undefined, undefined, undefined, "sold_out", "sold_out"]);
    expect(market.coins("bia")).toBe(limits.firstCoins - packs.basic.price);
    market.supply("basic");
    expect(market.buy("bia")).toMatchObject({ status: "OK" });
  });

  test("[Q18] a pack is refused as a whole when one of its cards is sold out, and no copy is ever sold twice", () => {
    const shop = new Shop();
    const sold: string[] = [];
    const draw = (count: number) => `${count}`.padStart(6, "0").repeat(6).slice(0, 32);
    for (let count = 0; ; count += 1) {
      const cards = shop.drawn("legendary", draw(count % 10));
      if (cards === undefined) break;
      shop.sell("eva" as UserName, "legendary", cards);
      sold.push(...cards);
    }
    expect(shop.stock().legendary).toBe(0);
    expect(new Set(sold).size).toBe(5 * 80);
    expect(sold.every((card) => kindOf(card) !== undefined)).toBe(true);
    expect(shop.drawn("legendary", draw(1))).toBeUndefined();
  });

  test("[D5] a locked user buys nothing, and an ended session buys nothing", () => {
    const market = new Market("ana");
    const { scene } = market;
    scene.ask("account", { user: "ana", locked: true, token: scene.operator });
    expect(market.buy("ana")).toMatchObject({ reason: "account_locked" });
    expect(market.buy("ana").code).not.toBe("OK");
  });
});

describe("offers of cards for cards", () => {
  test("[Q19] an accepted offer exchanges the cards, at every server", () => {
    const market = new Market("ana", "bia");
    const [hers, theirs] = [market.card("ana"), market.card("bia")];
    const { trade } = market.offer(["ana", "bia"], [hers], [theirs]);
    expect(market.trades("bia")).toMatchObject([{ trade, by: "ana", give: [hers] }]);
    expect(market.ask("ana", "trade", { trade, accept: true })).toMatchObject({
      code: "trade_not_found",
    });
    expect(market.ask("bia", "trade", { trade, accept: true })).toMatchObject({ status: "OK" });
    expect(market.cards("ana")).toContain(theirs);
    expect(market.cards("bia")).toContain(hers);
    expect([market.trades("ana"), market.trades("bia")]).toEqual([[], []]);
  });

  test("[Q19] an offer with a card that has another owner by now exchanges nothing", () => {
    const market = new Market("ana", "bia", "eva");
    const [hers, theirs, third] = ["ana", "bia", "eva"].map((user) => market.card(user)) as [
      string,
      string,
      string,
    ];
    const first = market.offer(["ana", "bia"], [hers], [theirs]).trade;
    const second = market.offer(["ana", "eva"], [hers], [third]).trade;
    market.ask("eva", "trade", { trade: second, accept: true });
    expect(market.ask("bia", "trade", { trade: first, accept: true })).toMatchObject({
      code: "card_not_owned",
    });
    expect(market.cards("bia")).toContain(theirs);
    expect(market.ask("ana", "trade", { trade: first, accept: false })).toMatchObject({
      status: "OK",
    });
  });

  test("[Q19] nobody offers cards of others, cards for nothing, or too much", () => {
    const market = new Market("ana", "bia");
    const [hers, theirs] = [market.card("ana"), market.card("bia")];
    expect(market.offer(["ana", "bia"], [theirs], [hers])).toMatchObject({
      code: "card_not_owned",
    });
    for (const give of [[], [hers, hers], ["wolf-common-101"], ["x"]]) {
      expect(market.offer(["ana", "bia"], give, [theirs])).toMatchObject({ code: "bad_request" });
    }
    expect(market.offer(["ana", "ana"], [hers], [hers])).toMatchObject({ code: "bad_request" });
    for (let count = 0; count < limits.userTradesToOne; count += 1) {
      expect(market.offer(["ana", "bia"], [hers], [theirs])).toMatchObject({ status: "OK" });
    }
    expect(market.offer(["ana", "bia"], [hers], [theirs])).toMatchObject({
      reason: "too_many_trades",
    });
  });
});

describe("users who may not do that", () => {
  test("[Q18] a user who has never logged in buys nothing, so that an invented name leaves no trace", () => {
    const cluster = servingCluster(1);
    const ask = () => cluster.request(cluster.server(1), "buy", { user: "nobody", pack: "basic" });
    expect(ask()).toMatchObject({ code: "user_not_found" });
    expect(cluster.server(1).core.log.applied).toBe(0);
    cluster.request(cluster.server(1), "login", { user: "nobody" });
    expect(ask()).toMatchObject({ status: "OK" });
  });

  test("[Q19] nobody accepts an offer of a locked user", () => {
    const market = new Market("ana", "bia");
    const { trade } = market.offer(["ana", "bia"], [market.card("ana")], [market.card("bia")]);
    const lock = (locked: boolean) =>
      market.scene.ask("account", { user: "ana", locked, token: market.scene.operator });
    lock(true);
    const accept = () => market.ask("bia", "trade", { trade, accept: true });
    expect(accept()).toMatchObject({ code: "trade_not_found" });
    lock(false);
    expect(accept()).toMatchObject({ status: "OK" });
  });

  test("[Q18] [X4] purchases count for the pace of their user, and others buy meanwhile", () => {
    const pace = { perSecond: 0.1, burst: 3 };
    const market = new Market({ user: pace, connection: undefined }, "ana", "bia");
    const codes = Array.from({ length: 5 }, () => market.buy("ana").code);
    expect(codes.filter((code) => code === "rate_limited").length).toBeGreaterThanOrEqual(2);
    expect(market.buy("bia")).toMatchObject({ status: "OK" });
  });
});

describe("the shop over crashes", () => {
  test("[Q18] of 200 buyers at three servers exactly 10 get one of 10 packs, while coordinators crash", () => {
    const cluster = servingCluster(3);
    const server = coordinator(cluster);
    const [from] = others(cluster, server) as [VirtualServer];
    const by = { by: "chief" as UserName, id: "1" as RequestId, since: 0 };
    const supply = { kind: "supply", pack: "basic", left: 10, rights: { isOperator: true } };
    forward(cluster, { operation: { ...by, ...supply }, server, from }, () => {});
    cluster.runFor(100);
    const buyers = Array.from({ length: 200 }, (_, number) => {
      return { user: `buyer${number}`, code: undefined as unknown, cards: undefined as unknown };
    });
    const send = (buyer: (typeof buyers)[number], at: number) => {
      if (buyer.code !== undefined) return;
      const { user } = buyer;
      const server = cluster.server(1 + (at % 3));
      if (server.isRunning && server.inRotation) {
        const question = cluster.ask(server, "buy", { user, pack: "basic", id: "1" });
        cluster.time.after(300, () => {
          const { reply } = question;
          if (reply === undefined || reply.retry === true || buyer.code !== undefined) return;
          Object.assign(buyer, { code: reply.code ?? reply.status, cards: reply.cards });
        });
      }
      cluster.time.after(400, () => send(buyer, at + 1));
    };
    for (const { user } of buyers) cluster.request(server, "login", { user });
    for (const [at, buyer] of buyers.entries()) cluster.time.after(10 * at, () => send(buyer, at));
    for (let kills = 0; kills < 4; kills += 1) {
      cluster.runFor(500);
      const first = coordinator(cluster);
      cluster.kill(first);
      cluster.runFor(1_000);
      cluster.start(first);
    }
    cluster.runUntil(
      () => buyers.every(({ code }) => code !== undefined),
      "all are answered",
      60_000,
    );
    cluster.runUntilEqual();
    expect(buyers.filter(({ code }) => code === "OK")).toHaveLength(10);
    expect(buyers.filter(({ code }) => code === "sold_out")).toHaveLength(190);
    const sold = buyers.flatMap(({ cards = [] }) => cards as string[]);
    expect([sold.length, new Set(sold).size]).toEqual([50, 50]);
    for (const { user, cards } of buyers) {
      const owned = cluster.request(cluster.server(2), "cards", { user }).cards;
      expect(owned).toEqual([...((cards ?? []) as string[])].sort());
      const { coins } = cluster.request(cluster.server(3), "shop", { user });
      expect(coins).toBe(limits.firstCoins - (cards === undefined ? 0 : packs.basic.price));
    }
    expect(new Set(cluster.servers.map(checkpointText)).size).toBe(1);
  });
});
