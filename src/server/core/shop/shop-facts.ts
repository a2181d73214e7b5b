import assert from "node:assert";
import { kindOf } from "../../../protocol/cards.ts";
import type { Fields } from "../../../protocol/fields.ts";
import { readUserName } from "../../../protocol/ids.ts";
import type { DecidedState } from "../decisions/decision-facts.ts";
import type { Shop, Trade } from "./shop.ts";
import { readCards, readCount, readDeck, readLeft, readPack } from "./shop-operations.ts";

/** The shop in a saved state: a row for each wallet, card, deck, offer, and limited pack. */
export function savedShop(shop: Shop): DecidedState {
  return {
    rows: ["wallet", "card", "deck", "offers", "offer", "supply"],
    freeze: () => ({
      rows: [
        ...shop.wallets().map(([user, coins]) => ({ operation: "wallet", user, coins })),
        ...shop.owners().map(([card, owner]) => ({ operation: "card", card, owner })),
        ...shop.decks().map(([user, cards]) => ({ operation: "deck", user, cards })),
        ...(shop.offers > 0 ? [{ operation: "offers", made: shop.offers }] : []),
        ...shop.trades().map((trade) => ({ operation: "offer", ...trade })),
        ...shop.supplies().map(([pack, left]) => ({ operation: "supply", pack, left })),
      ],
    }),
    restore: (_saved, rows) => {
      shop.clear();
      for (const row of rows) restoreRow(shop, row);
    },
  };
}

function restoreRow(shop: Shop, row: Fields): void {
  const { operation, user, card, owner } = row;
  if (operation === "wallet") {
    shop.setCoins(readUserName(user), readCount(row.coins));
  } else if (operation === "card") {
    assert(typeof card === "string" && kindOf(card) !== undefined, "there is no such card");
    shop.give(card, readUserName(owner));
  } else if (operation === "deck") {
    // Cards that were traded away have left the deck.
    shop.setDeck(readUserName(user), readDeck(row.cards, 1));
  } else if (operation === "offers") shop.offers = readCount(row.made);
  else if (operation === "offer") shop.addTrade(readTrade(row));
  else shop.supply(readPack(row.pack), readLeft(row.left));
}

function readTrade(row: Fields): Trade {
  const [by, to] = [readUserName(row.by), readUserName(row.to)];
  const [give, want] = [readCards(row.give), readCards(row.want)];
  return { trade: readCount(row.trade), by, to, give, want };
}
