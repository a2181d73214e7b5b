import type { Metrics } from "../platform/metrics.ts";
import { ownVersion } from "../platform/version.ts";
import type { LamportClock } from "../protocol/lamport-clock.ts";
import type { RefusedMessages, Role } from "../protocol/reference-messages.ts";

export interface MeasuredProcess {
  readonly role: Role;
  readonly name: string;
  readonly clock: LamportClock;
  readonly refused: Readonly<RefusedMessages>;
}

/** Adds the metrics that all members have in common (O50). */
export function measureProcess(metrics: Metrics, { role, name, clock, refused }: MeasuredProcess) {
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
}
