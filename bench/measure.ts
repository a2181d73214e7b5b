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
  latencies.sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.floor(share * (latencies.length - 1))] ?? Number.NaN;
  return {
    operations: latencies.length,
    perSecond: latencies.length / seconds,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  };
}
