const firstMs = 500;
const mostMs = 15_000;

/**
 * Returns how many milliseconds to wait before the next try to connect. Each failure doubles the
 * time; the random part keeps browsers from returning all at once.
 * @param failures number of failures since the last connection, at least 1
 * @param random 0 to 1
 */
export function retryDelay(failures: number, random: number): number {
  const longest = Math.min(mostMs, firstMs * 2 ** (failures - 1));
  return Math.round(longest * (0.5 + random / 2));
}
