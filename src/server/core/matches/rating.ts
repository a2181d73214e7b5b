/** The most points that a match moves from one player to the other. */
const most = 32;

/**
 * Returns the ratings of two players after a match, by the formula of Arpad Elo. Their sum stays the
 * same. All replicas must get the same result, though each has its own floating-point library; it is
 * never so near to half a point that the last bits matter (`test/server/core/matches.test.ts`).
 * @param won 1 if the first player has won, 0 if the second one has, 0.5 for a draw
 */
export function ratedAfter(
  [first, second]: readonly [number, number],
  won: 0 | 0.5 | 1,
): [number, number] {
  const moved = Math.round(pointsOf(second - first, won));
  return [first + moved, second - moved];
}

/** Returns the points that the first player gets, before they are rounded. */
export function pointsOf(ahead: number, won: 0 | 0.5 | 1): number {
  return most * (won - 1 / (1 + 10 ** (ahead / 400)));
}
