/** The limits of matches, a part of `limits`. */
export const matchLimits = {
  /** The most open matches of the cluster. */
  openMatches: 10_000,
  /** The last matches that servers remember after their end. */
  endedMatches: 1_000,
  /** The most ended matches in the answer to `match`. */
  userMatches: 10,
  /** The most open matches in a page of `matches`. */
  matchesPage: 200,
  /** The users in the answer to `ranking`. */
  rankingUsers: 20,
  /** The rating of each user before their first match. */
  firstRating: 1_200,
} as const;
