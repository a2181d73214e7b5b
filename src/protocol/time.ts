/** Converts milliseconds since 1970 to ISO 8601 in UTC with milliseconds (W3). */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
