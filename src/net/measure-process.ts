import type { RequestLog } from "../platform/log.ts";
import type { Metrics } from "../platform/metrics.ts";
import { ownVersion } from "../platform/version.ts";
import type { LamportClock } from "../protocol/lamport-clock.ts";
import type { RefusedMessages, Role } from "../protocol/reference-messages.ts";

export interface MeasuredProcess {
  readonly role: Role;
  readonly name: string;
  readonly clock: LamportClock;
  readonly refused: Readonly<RefusedMessages>;
  /** The logs whose lines are limited (O18); a broker and a proxy have none. */
  readonly requestLogs?: readonly Pick<RequestLog, "skippedLines">[];
}

/** Adds the metrics that all members have in common (O50). */
export function measureProcess(metrics: Metrics, measured: MeasuredProcess): void {
  const { role, name, clock, refused, requestLogs = [] } = measured;
  const version = ownVersion();
  metrics.gauge(
    {
      name: "tertulia_info",
      help: "Always 1; says what runs.",
      labels: ["role", "name", "version"],
    },
    () => [{ labels: { role, name, version }, value: 1 }],
  );
  metrics.gauge(
    { name: "tertulia_lamport_clock", help: "The process's Lamport clock." },
    () => clock.value,
  );
  metrics.counter(
    {
      name: "tertulia_refused_messages_total",
      help: "Dropped messages of members: with a wrong seal or none (forged), or repeated (stale).",
      labels: ["reason"],
    },
    () => [
      { labels: { reason: "forged" }, value: refused.forged },
      { labels: { reason: "stale" }, value: refused.stale },
    ],
  );
  if (requestLogs.length === 0) return;
  metrics.counter(
    {
      name: "tertulia_log_lines_skipped_total",
      help: "Log lines about single requests that were left out, because there were too many.",
    },
    () => requestLogs.reduce((sum, { skippedLines }) => sum + skippedLines, 0),
  );
}
