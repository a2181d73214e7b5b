import assert from "node:assert";
import { type CardId, kindOf, type PackName, packNames, packs } from "../../../protocol/cards.ts";
import { isChain, readUserName, type UserName } from "../../../protocol/ids.ts";
import { parseClock } from "../../../protocol/lamport-clock.ts";
import { limits } from "../../../protocol/limits.ts";
import type { Operation } from "../../../protocol/operation.ts";
import { mayAct, mayAdminister, type Rights, readRights } from "../accounts/account-operations.ts";
import type { Accounts } from "../accounts/accounts.ts";
import { type Apply, applying } from "../decisions/applying.ts";
import type { Shop, Trade } from "./shop.ts";

/** What may come of an operation on the shop, besides the outcomes of rights. */
export type ShopOutcome =
  | "sold_out"
  | "too_few_coins"
  | "card_not_owned"
  | "trade_not_found"
  | "too_many_trades";

interface Acting {
  readonly rights: Rights;
}

/** For each kind of operation, its fields besides those of all operations. */
export interface ShopOperations {
  /** Buys a pack. `draw` decides which cards are in it. */
  buy: Acting & { readonly pack: PackName; readonly draw: string };
  /** Offers cards to another user for cards of theirs. */
  offer: Acting & {
    readonly to: UserName;
    readonly give: readonly CardId[];
    readonly want: readonly CardId[];
  };
  /** The user to whom the cards were offered exchanges them, or either user drops the offer. */
  trade: Acting & { readonly trade: number; readonly isAccepted: boolean };
  /** Chooses the cards with which the user plays. */
  deck: Acting & { readonly cards: readonly CardId[] };
  /** An administrator says how many packs are for sale. */
  supply: Acting & { readonly pack: PackName; readonly left?: number | undefined };
}

export type ShopKind = keyof ShopOperations;

/** The operations on the shop, as the log of decisions applies them (D5). */
export function shopOperations(shop: Shop, accounts: Accounts): Readonly<Record<ShopKind, Apply>> {
  return applying<ShopOperations>(readers, {
    buy: ({ pack, draw, rights }, { by }) => {
      const refused = mayAct(accounts, by, rights);
      if (refused !== undefined) return refused;
      if (shop.left(pack) === 0) return "sold_out";
      if (shop.coins(by) < packs[pack].price) return "too_few_coins";
      const cards = shop.drawn(pack, draw);
      if (cards === undefined) return "sold_out";
      shop.sell(by, pack, cards);
      return { outcome: "done", result: { cards, coins: shop.coins(by) } };
    },
    offer: ({ to, give, want, rights }, { by }) => {
      const refused = mayAct(accounts, by, rights);
      if (refused !== undefined) return refused;
      // Whether the other user has the wanted cards shows only if they accept: cards are secret.
      if (!own(shop, by, give)) return "card_not_owned";
      if (isTooMuch(shop.tradesOf(by), shop.tradesOf(to), { by, to })) return "too_many_trades";
      shop.offers += 1;
      const trade = shop.offers;
      shop.addTrade({ trade, by, to, give, want });
      return { outcome: "done", result: { trade } };
    },
    trade: ({ trade: id, isAccepted, rights }, { by }) => {
      const refused = mayAct(accounts, by, rights);
      if (refused !== undefined) return refused;
      const trade = shop.trade(id);
      const may = isAccepted ? [trade?.to] : [trade?.by, trade?.to];
      if (trade === undefined || !may.includes(by)) return "trade_not_found";
      const { give, want, by: giver, to } = trade;
      if (isAccepted) {
        if (accounts.has("locked", giver)) return "trade_not_found";
        if (!own(shop, giver, give) || !own(shop, to, want)) return "card_not_owned";
        for (const card of give) shop.give(card, to);
        for (const card of want) shop.give(card, giver);
      }
      shop.removeTrade(trade);
      return "done";
    },
    deck: ({ cards, rights }, { by }) => {
      const refused = mayAct(accounts, by, rights);
      if (refused !== undefined) return refused;
      if (!own(shop, by, cards)) return "card_not_owned";
      shop.setDeck(by, cards);
      return "done";
    },
    supply: ({ pack, left, rights }) => {
      const refused = mayAdminister(accounts, rights);
      if (refused === undefined) shop.supply(pack, left);
      return refused ?? "done";
    },
  });
}

/** Whether one more offer would be too many, so that strangers can't use up a user's offers. */
function isTooMuch(
  ofGiver: readonly Trade[],
  ofOther: readonly Trade[],
  { by, to }: Pick<Trade, "by" | "to">,
): boolean {
  const made = ofGiver.filter((trade) => trade.by === by);
  return (
    made.length >= limits.userTrades ||
    made.filter((trade) => trade.to === to).length >= limits.userTradesToOne ||
    ofOther.filter((trade) => trade.to === to).length >= limits.userTradesReceived
  );
}

function own(shop: Shop, user: UserName, cards: readonly CardId[]): boolean {
  return cards.every((card) => shop.ownerOf(card) === user);
}

const readers: {
  readonly [K in ShopKind]: (operation: Operation) => ShopOperations[K];
} = {
  buy: (data) => {
    const { draw } = data;
    assert(isChain(draw), "`draw` is wrong");
    return { pack: readPack(data.pack), draw, rights: readRights(data.rights) };
  },
  offer: (data) => {
    const [to, give, want] = [readUserName(data.to), readCards(data.give), readCards(data.want)];
    assert(to !== data.by, "nobody trades with themselves");
    return { to, give, want, rights: readRights(data.rights) };
  },
  trade: (data) => ({
    trade: readCount(data.trade),
    isAccepted: data.isAccepted === true,
    rights: readRights(data.rights),
  }),
  deck: (data) => ({
    cards: readDeck(data.cards, limits.deckCardsLeast),
    rights: readRights(data.rights),
  }),
  supply: (data) => {
    const [pack, left] = [readPack(data.pack), readLeft(data.left)];
    return { pack, left, rights: readRights(data.rights) };
  },
};

export function readPack(value: unknown): PackName {
  const pack = packNames.find((name) => name === value);
  assert(pack !== undefined, "there is no such pack");
  return pack;
}

export function readCount(value: unknown): number {
  const count = parseClock(value);
  assert(count !== undefined, "it is no count");
  return count;
}

export function readLeft(value: unknown): number | undefined {
  return value === undefined ? undefined : readCount(value);
}

/** @throws Error unless the value is a list of 1 to `limits.tradeCards` different cards */
export function readCards(value: unknown): readonly CardId[] {
  return readDifferent(value, [1, limits.tradeCards]);
}

/** @throws Error unless the value is a list of `least` to `limits.deckCards` different cards */
export function readDeck(value: unknown, least: number): readonly CardId[] {
  return readDifferent(value, [least, limits.deckCards]);
}

function readDifferent(
  value: unknown,
  [least, most]: readonly [least: number, most: number],
): readonly CardId[] {
  assert(Array.isArray(value) && value.length >= least && value.length <= most);
  assert(new Set(value).size === value.length, "a card is given twice");
  for (const card of value)
    assert(typeof card === "string" && kindOf(card), "there is no such card");
  return value;
}
