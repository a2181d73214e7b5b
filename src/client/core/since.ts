import { parseVector, type Vector } from "../../protocol/vector.ts";
import { localMs, type Zone } from "./server-time.ts";

/** A starting point in a history: a vector, or a time in milliseconds since 1970. */
export type Since = { readonly vector: Vector } | { readonly timeMs: number };

const minuteMs = 60_000;
const dayMs = 86_400_000;

/** @returns undefined if the text is not a vector in JSON */
export function parseSinceVector(text: string): Vector | undefined {
  try {
    return parseVector(JSON.parse(text), "since");
  } catch {
    return undefined;
  }
}

/** @returns undefined if the text is neither a vector in JSON nor an ISO 8601 time */
export function parseSince(text: string, zone: Zone): Since | undefined {
  const vector = parseSinceVector(text);
  if (vector !== undefined) return { vector };
  const timeMs = parseTime(text.trim(), zone);
  return timeMs === undefined ? undefined : { timeMs };
}

const date = "(?<year>\\d{4})-(?<month>\\d\\d)-(?<day>\\d\\d)";
const clock =
  "(?<hour>\\d\\d):(?<minute>\\d\\d)(?::(?<second>\\d\\d)(?:[.,](?<fraction>\\d{1,9}))?)?";
const offset = "(?<utc>z)|(?<sign>[+-])(?<ahead>\\d\\d):?(?<minutesAhead>\\d\\d)";
const timePattern = new RegExp(`^${date}(?:[t ]${clock}(?:${offset})?)?$`, "i");

/**
 * Parses an ISO 8601 date, or a date with a time. The time may have an offset from UTC; without an
 * offset, the time is local. A date alone is the first moment of that local day.
 * @returns undefined for any other text, and for a day or a time that does not exist
 */
function parseTime(text: string, zone: Zone): number | undefined {
  const parts = timePattern.exec(text)?.groups;
  if (parts === undefined) return undefined;
  const { year, month, day, hour = "00", minute = "00", second = "00", fraction = "0" } = parts;
  const written = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
  const seconds = Date.parse(`${written}Z`);
  // `Date.parse` reads the 31st of a shorter month, and 24:00, as a time of the next day. Then the
  // date, converted back to text, differs from `written`.
  if (Number.isNaN(seconds) || new Date(seconds).toISOString().slice(0, 19) !== written) {
    return undefined;
  }
  const wallMs = seconds + Math.floor(Number(`0.${fraction}`) * 1_000);
  if (parts.utc !== undefined) return wallMs;
  if (parts.sign === undefined) return instantOf(wallMs, zone);
  const { sign, ahead, minutesAhead } = parts;
  if (Number(ahead) > 23 || Number(minutesAhead) > 59) return undefined;
  const minutes = Number(ahead) * 60 + Number(minutesAhead);
  return wallMs - (sign === "-" ? -minutes : minutes) * minuteMs;
}

/**
 * @returns the moment at which local clocks show a time. If they show the time twice, returns the
 * first moment; if they skip the time, the moment of the skip
 * @param wallMs the local time, in milliseconds as if it were UTC
 */
function instantOf(wallMs: number, zone: Zone): number {
  const around = [zone(wallMs - dayMs), zone(wallMs + dayMs)] as const;
  const candidates = around.map((minutes) => wallMs - minutes * minuteMs);
  const found = candidates.find((timeMs) => localMs(timeMs, zone) === wallMs);
  if (found !== undefined) return found;
  const [before] = around;
  let [after = 0, earlier = 0] = candidates;
  while (after - earlier > 1) {
    const middle = Math.floor((after + earlier) / 2);
    if (zone(middle) === before) earlier = middle;
    else after = middle;
  }
  return after;
}
