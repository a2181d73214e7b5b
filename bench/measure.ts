/** What a workload came to. */
export interface Figures {
  readonly operations: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/**
 * Keeps `inFlight` operations going for `seconds`, after a warm-up of a quarter of that time.
 * Latency is from the call to its answer.
 */
export async function measure(
  operate: (index: number) => Promise<unknown>,
  { inFlight, seconds }: { inFlight: number; seconds: number },
): Promise<Figures> {
  const latencies: number[] = [];
  const warmMs = performance.now() + 250 * seconds;
  const endMs = warmMs + 1_000 * seconds;
  let index = 0;
  const worker = async () => {
    for (let startMs = performance.now(); startMs < endMs; startMs = performance.now()) {
      index += 1;
      await operate(index);
      const doneMs = performance.now();
      if (startMs >= warmMs && doneMs <= endMs) latencies.push(doneMs - startMs);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return {
    operations: latencies.length,
    perSecond: latencies.length / seconds,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
  };
}

/** The value below which that share of them lies; 1 for the highest. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
}
