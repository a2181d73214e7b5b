import type { Write } from "./checker.ts";

/** The writes acknowledged in one span of time. */
export interface Span {
  readonly fromMs: number;
  readonly acknowledged: number;
  /**
   * Statistics of the time from a write's first attempt to its answer; undefined if no write was
   * acknowledged in the span.
   */
  readonly latency: Latency | undefined;
}

export interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** A time during which no write was acknowledged. */
export interface Gap {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Pace {
  readonly spans: readonly Span[];
  readonly spanMs: number;
  /** The latency of all acknowledged writes. */
  readonly latency: Latency | undefined;
  /** Gaps of at least a second, in order. */
  readonly gaps: readonly Gap[];
  /** The longest time without an acknowledged write, in milliseconds. */
  readonly longestPauseMs: number;
}

const spanMs = 500;
const gapMs = 1_000;

/** Measures how fast writes were acknowledged between 0 and `lengthMs` milliseconds. */
export function paceOf(writes: readonly Write[], lengthMs: number): Pace {
  const answers = writes
    .flatMap(({ sentMs, acknowledged }) => {
      return acknowledged === undefined ? [] : [{ atMs: acknowledged.atMs, sentMs }];
    })
    .sort((a, b) => a.atMs - b.atMs);
  const pauses = pausesBetween([0, ...answers.map(({ atMs }) => atMs), lengthMs]);
  const spans = Array.from({ length: Math.ceil(lengthMs / spanMs) }, (): number[] => []);
  for (const { atMs, sentMs } of answers) spans[Math.floor(atMs / spanMs)]?.push(atMs - sentMs);
  return {
    spanMs,
    spans: spans.map((latencies, at) => ({
      fromMs: at * spanMs,
      acknowledged: latencies.length,
      latency: latencyOf(latencies),
    })),
    latency: latencyOf(answers.map(({ atMs, sentMs }) => atMs - sentMs)),
    gaps: pauses.filter(({ fromMs, toMs }) => toMs - fromMs >= gapMs),
    longestPauseMs: pauses.reduce((most, { fromMs, toMs }) => Math.max(most, toMs - fromMs), 0),
  };
}

function pausesBetween(timesMs: readonly number[]): Gap[] {
  return timesMs.slice(1).map((toMs, at) => ({ fromMs: timesMs[at] as number, toMs }));
}

/**
 * Returns percentiles; undefined for an empty list.
 * @param latenciesMs is sorted in place
 */
export function latencyOf(latenciesMs: number[]): Latency | undefined {
  if (latenciesMs.length === 0) return undefined;
  latenciesMs.sort((a, b) => a - b);
  const at = (part: number) =>
    latenciesMs[Math.min(latenciesMs.length - 1, Math.floor(part * latenciesMs.length))] as number;
  return { p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}
