/** Years of four digits wherever the reader is. */
const [first, last] = ["0001-01-01", "9999-12-30"].map((day) => Date.parse(day)) as [
  number,
  number,
];

/**
 * A server's timestamp in milliseconds since 1970; NaN if it is not a time that can be shown. The
 * ends of what JavaScript can write as a time lie within a day of times that it can't.
 */
export function timeOf(timestamp: string): number {
  return shownTime(Date.parse(timestamp));
}

/** The same time, or NaN if it is none that can be shown. */
export function shownTime(timeMs: number): number {
  return timeMs >= first && timeMs <= last ? timeMs : Number.NaN;
}
