import { monitorEventLoopDelay } from "node:perf_hooks";

/** Milliseconds between two measurements. */
const resolution = 5;

/**
 * Measures the longest time for which the event loop is blocked.
 * @returns a function that ends the measurement and returns this time in milliseconds
 */
export function watchPauses(): () => number {
  const delays = monitorEventLoopDelay({ resolution });
  delays.enable();
  return () => {
    delays.disable();
    return Math.max(0, Math.round(delays.max / 1e6) - resolution);
  };
}
