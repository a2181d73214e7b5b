import { harmless } from "../../protocol/harmless.ts";
import type { Entry } from "../../protocol/publications.ts";
import { authorOf } from "./author.ts";
import type { Paint } from "./paint.ts";
import { localMs, timeOf, type Zone } from "./server-time.ts";
import { actionPrefix } from "./slash-command.ts";

export interface LineOptions {
  readonly paint: Paint;
  /** The reader's time zone. */
  readonly zoneMinutes: Zone;
  /**
   * True if the output has several conversations: the line then names its channel, and has no date.
   */
  readonly mixed?: boolean;
}

/**
 * @returns one line, such as `2026-01-31 08:00:00 ana: Oi` or, if `mixed`, `08:00 #geral ana: Oi`
 */
export function entryLine(
  entry: Entry,
  { paint, zoneMinutes, mixed = false }: LineOptions,
): string {
  const time = paint("dim", localTime(entry.timestamp, zoneMinutes, mixed));
  const text = harmless(entry.message);
  if (!("channel" in entry)) {
    const [src, dst] = [entry.src, entry.dst].map((name) => paint("cyan", harmless(name)));
    return `${time} ${src} → ${dst}: ${text}`;
  }
  const place = mixed ? `${paint("bold", `#${harmless(entry.channel)}`)} ` : "";
  const user = paint("cyan", authorOf(entry));
  return entry.message.startsWith(actionPrefix)
    ? `${time} ${place}* ${user} ${text.slice(actionPrefix.length)}`
    : `${time} ${place}${user}: ${text}`;
}

function localTime(timestamp: string, zone: Zone, short: boolean): string {
  const ms = timeOf(timestamp);
  if (Number.isNaN(ms)) return harmless(String(timestamp));
  const local = new Date(localMs(ms, zone)).toISOString();
  return short ? local.slice(11, 16) : `${local.slice(0, 10)} ${local.slice(11, 19)}`;
}
