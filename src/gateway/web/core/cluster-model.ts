import type { ClusterStatus } from "../../../client/core/cluster-status.ts";
import type { ProtocolError } from "../../../protocol/errors.ts";

/** Whether the person may see the cluster at work; unknown until a server has said so. */
export type Access = "unknown" | "logIn" | "refused" | "allowed";

/** A Lamport clock's value from a time on. */
interface Sample {
  readonly atMs: number;
  readonly clock: number;
}

/** How a process's Lamport clock has moved within the last `windowMs`. */
export interface Track {
  /** From old to new; each sample has a higher clock than the one before. */
  readonly samples: readonly Sample[];
  /** Since when the process is known. */
  readonly sinceMs: number;
}

/** What the page knows of the cluster. Times are milliseconds since 1970 by this device. */
export interface ClusterModel {
  readonly access: Access;
  /** The logged-in person; undefined if nobody is, as an open cluster allows. */
  readonly user: string | undefined;
  readonly status: ClusterStatus | undefined;
  /** When the gateway told `status`. */
  readonly heardMs: number;
  /** Why the newest question got no answer; undefined if it got one. */
  readonly failure: ProtocolError | undefined;
  /** By the name of the process. */
  readonly clocks: ReadonlyMap<string, Track>;
  readonly nowMs: number;
}

export const windowMs = 30_000;
/** From this age on, the page says that what it shows is old. */
export const oldMs = 2_500;
const paceMs = 5_000;
const leastSpan = 20;

export function nothingSeen(nowMs: number): ClusterModel {
  return {
    access: "unknown",
    user: undefined,
    status: undefined,
    heardMs: nowMs,
    failure: undefined,
    clocks: new Map(),
    nowMs,
  };
}

/** Takes an answer of the gateway. */
export function seen(model: ClusterModel, status: ClusterStatus, nowMs: number): ClusterModel {
  const clocks = new Map<string, Track>();
  for (const { name, clock } of status.processes) {
    const before = model.clocks.get(name);
    const track = clock === null ? before : extended(before, { atMs: nowMs, clock });
    if (track !== undefined) clocks.set(name, track);
  }
  return { ...model, status, clocks, heardMs: nowMs, failure: undefined, nowMs };
}

/** Reports can overtake each other, and a lower clock is then the older report. */
function extended(track: Track | undefined, sample: Sample): Track {
  if (track === undefined) return { samples: [sample], sinceMs: sample.atMs };
  if (sample.clock <= clockOf(track)) return track;
  const samples = [...track.samples, sample];
  const fromMs = sample.atMs - windowMs;
  const first = samples.findLastIndex(({ atMs }) => atMs <= fromMs);
  return { ...track, samples: samples.slice(Math.max(0, first)) };
}

export function clockOf({ samples }: Track): number {
  return samples.at(-1)?.clock ?? 0;
}

export function highestClock({ clocks }: ClusterModel): number {
  return Math.max(0, ...[...clocks.values()].map(clockOf));
}

/** Returns by how much the clock has risen in a second, as the mean of the last seconds. */
export function paceOf(track: Track, nowMs: number): number {
  const spanMs = Math.min(paceMs, nowMs - track.sinceMs);
  if (spanMs <= 0) return 0;
  return ((clockOf(track) - clockAt(track, nowMs - spanMs)) * 1_000) / spanMs;
}

function clockAt({ samples }: Track, timeMs: number): number {
  const sample = samples.findLast(({ atMs }) => atMs <= timeMs) ?? samples[0];
  return sample?.clock ?? 0;
}

/**
 * Returns the lowest clock of the common scale of all tracks. The scale fits the highest clock: one
 * process far behind would otherwise flatten all lines.
 */
export function lowestShown(model: ClusterModel): number {
  const high = highestClock(model);
  const rises = [...model.clocks.values()]
    .filter((track) => clockOf(track) > high - leastSpan)
    .map((track) => high - clockAt(track, model.nowMs - windowMs));
  return high - Math.max(leastSpan, ...rises);
}

interface Frame {
  readonly width: number;
  readonly height: number;
  readonly nowMs: number;
  readonly low: number;
  readonly high: number;
}

/** Returns a track as the path of an SVG: a flight of steps, from `windowMs` ago until now. */
export function trackPath({ samples }: Track, { width, height, nowMs, low, high }: Frame): string {
  const x = (atMs: number) => Math.max(0, width * (1 - (nowMs - atMs) / windowMs));
  const y = (clock: number) => height * (1 - Math.max(0, (clock - low) / Math.max(1, high - low)));
  const round = (value: number) => Math.round(value * 10) / 10;
  const [first] = samples;
  if (first === undefined) return "";
  const steps = samples.map(({ atMs, clock }) => `H${round(x(atMs))}V${round(y(clock))}`);
  return `M${round(x(first.atMs))} ${round(y(first.clock))}${steps.join("")}H${width}`;
}
