/** A time zone: by how many minutes its clocks are ahead of UTC at a given time. */
export type Zone = (timeMs: number) => number;

/** @returns the local time in a zone, in milliseconds as if that local time were UTC */
export function localMs(timeMs: number, zone: Zone): number {
  return timeMs + zone(timeMs) * 60_000;
}

/** Between these times, years have four digits in every time zone. */
const firstMs = Date.parse("0001-01-01");
const lastMs = Date.parse("9999-12-30");

/**
 * @returns a server's timestamp in milliseconds since 1970, or NaN if it can't be shown as a local
 * time. At the ends of JavaScript's range, adding the offset of a time zone makes a valid date
 * invalid.
 */
export function timeOf(timestamp: string): number {
  return shownTime(Date.parse(timestamp));
}

/** @returns `timeMs`, or NaN if it can't be shown as a local time */
export function shownTime(timeMs: number): number {
  return timeMs >= firstMs && timeMs <= lastMs ? timeMs : Number.NaN;
}
