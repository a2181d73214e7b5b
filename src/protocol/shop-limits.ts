/** The limits of the shop, a part of `limits`. */
export const shopLimits = {
  /** The coins of each user before their first purchase. */
  firstCoins: 1_000,
  /** The most open offers that one user has made. */
  userTrades: 20,
  /** The most open offers that one user has made to one other. */
  userTradesToOne: 3,
  /** The most open offers to one user. */
  userTradesReceived: 100,
  /** How many requests an operation on the shop counts as for its connection's pace (X4). */
  shopCost: 20,
  /** The most cards of each side of an offer. */
  tradeCards: 10,
  /** The fewest and the most cards of a new deck. */
  deckCardsLeast: 5,
  deckCards: 30,
  /** The most packs of one name that an administrator can put up for sale. */
  packsLeft: 1_000_000,
} as const;
