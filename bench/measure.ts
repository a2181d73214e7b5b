import { pause } from "../src/platform/clock.ts";
import type { Values } from "./workload.ts";

export interface Load {
  /** How many operations run at once, each in a lane of its own. */
  readonly inFlight: number;
  /** How long to measure, after a warm-up of a quarter of that time. */
  readonly seconds: number;
  /** If given, all lanes together begin only one operation in so many milliseconds. */
  readonly everyMs?: number;
}

/** A load that goes on until the signal, and has no warm-up. */
export type EndlessLoad = Omit<Load, "seconds"> & { readonly until: AbortSignal };

/**
 * Repeats an operation and returns its rate and its latencies. A latency is the time from the call
 * to its result. Operations that begin in the warm-up, or end too late, do not count.
 */
export async function measure(
  operate: (index: number, lane: number) => unknown,
  load: Load | EndlessLoad,
): Promise<Values> {
  const { inFlight, everyMs = 0 } = load;
  const latencies: number[] = [];
  let nextMs = performance.now();
  const warmMs = nextMs + ("seconds" in load ? 250 * load.seconds : 0);
  const endMs = "seconds" in load ? warmMs + 1_000 * load.seconds : Number.POSITIVE_INFINITY;
  const isOver = () => performance.now() >= endMs || ("until" in load && load.until.aborted);
  let count = 0;
  const lane = async (number: number) => {
    while (!isOver()) {
      const dueMs = nextMs;
      nextMs += everyMs;
      if (dueMs > performance.now()) await pause(dueMs - performance.now());
      if (isOver()) return;
      count += 1;
      const startMs = performance.now();
      await operate(count, number);
      const doneMs = performance.now();
      if (startMs >= warmMs && doneMs <= endMs) latencies.push(doneMs - startMs);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, (_, number) => lane(number)));
  const measuredMs = Math.min(endMs, performance.now()) - warmMs;
  return { "per s": (1_000 * latencies.length) / measuredMs, ...latencyOf(latencies) };
}

export function latencyOf(latencies: readonly number[]): Values {
  return {
    "p50 ms": percentile(latencies, 0.5),
    "p99 ms": percentile(latencies, 0.99),
    "longest ms": percentile(latencies, 1),
  };
}

/** Returns the value below which that share of the values lies; 1 returns the highest. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** Runs a function and returns its result and how long it took. */
export async function timed<T>(run: () => Promise<T>): Promise<{ result: T; ms: number }> {
  const startMs = performance.now();
  const result = await run();
  return { result, ms: performance.now() - startMs };
}
