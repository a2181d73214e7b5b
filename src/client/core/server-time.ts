/** A time zone: by how many minutes its clocks are ahead of UTC at a given time. */
export type Zone = (timeMs: number) => number;

/** A time as the clocks of a zone show it, in milliseconds as if that were UTC. */
export function localMs(timeMs: number, zone: Zone): number {
  return timeMs + zone(timeMs) * 60_000;
}

/** Between these times a year has four digits in every time zone. */
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
