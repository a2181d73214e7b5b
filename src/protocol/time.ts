/**
 * The last result. It is kept because the events and receipts of one payload mostly have the same
 * time.
 */
let last = { ms: Number.NaN, text: "" };

/** Converts milliseconds since 1970 to ISO 8601 in UTC with milliseconds (W3). */
export function isoTime(ms: number): string {
  if (ms !== last.ms) last = { ms, text: new Date(ms).toISOString() };
  return last.text;
}
