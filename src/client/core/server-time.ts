/** Within these a year has four digits in every time zone. */
const firstMs = Date.parse("0001-01-01");
const lastMs = Date.parse("9999-12-30");

/**
 * A server's timestamp in milliseconds since 1970; NaN if it can't be shown as a local time: at the
 * ends of JavaScript's range the offset of a time zone makes an invalid date of a valid one.
 */
export function timeOf(timestamp: string): number {
  return shownTime(Date.parse(timestamp));
}

/** The same time, or NaN if it can't be shown. */
export function shownTime(timeMs: number): number {
  return timeMs >= firstMs && timeMs <= lastMs ? timeMs : Number.NaN;
}
