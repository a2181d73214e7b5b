/** The limits of the shop, a part of `limits`. */
export const shopLimits = {
  /** The coins of a user who has not bought anything yet. */
  firstCoins: 1_000,
  /** The most open offers by a user and to a user together. */
  userTrades: 20,
  /** The most cards of each side of an offer. */
  tradeCards: 10,
  /** The most packs of one name that an administrator can put up for sale. */
  packsLeft: 1_000_000,
} as const;
