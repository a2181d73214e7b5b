/** The limits of matches of cards. */
export const gameLimits = {
  /** The fewest and the most cards with which a player plays. */
  deckCardsLeast: 5,
  deckCards: 30,
  /** The most operations that a host takes into one proposal. */
  proposalOperations: 16,
  /** The most operations of one match that wait for a proposal. */
  waitingOperations: 64,
  /** The refused operations of a match that are remembered, so that a late copy has no effect. */
  rememberedRefusals: 32,
  /** The most players in the queue of one game server. */
  queuedPlayers: 10_000,
  /** The most players of its queue of which a game server tells the others. */
  toldPlayers: 200,
  /** Two players may differ by so much in rating at once, and by so much more for each second of waiting. */
  ratingDistance: 100,
  ratingDistancePerSecond: 20,
  /** The most requests of players of one game server that wait for an answer; and those of one player. */
  openRequests: 10_000,
  openRequestsOfUser: 16,
  /** The most events in one answer to a player. */
  shownEvents: 200,
} as const;

/** The durations of matches of cards, in milliseconds. */
export const gameDurations = {
  /** Time between two messages in which a game server tells the others that it lives. */
  helloMs: 250,
  /** Silence after which another game server takes over. */
  silenceMs: 1_500,
  /** Time after which a message without an answer is sent again. */
  askAgainMs: 300,
  /** Time within which all holders of a match must have agreed to an operation. */
  agreeMs: 5_000,
  /** Time that two players have to choose their cards. */
  prepareMs: 120_000,
  /** An absent player keeps their seat for so long. */
  seatMs: 60_000,
  /** A player that has not asked how things stand for so long leaves the queue. */
  queueMs: 30_000,
  /** Time for which an invited player stays reserved until it is known whether the match began. */
  invitationMs: 3_000,
  /** The most time that the question of a player waits for news. */
  lookMs: 10_000,
  /**
   * The most time that a look at a match that is over waits: the player's next match may begin at another
   * game server.
   */
  overLookMs: 1_000,
  /** Time for which a match that is over can still be looked at. */
  overMs: 60_000,
  /** Time between two comparisons of the held matches with the log of decisions. */
  compareMs: 5_000,
} as const;
