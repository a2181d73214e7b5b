import { monitorEventLoopDelay } from "node:perf_hooks";

/** Milliseconds between two measurements. */
const resolution = 5;

/**
 * Measures how long other work blocks the event loop.
 * @returns a function that ends the measurement and returns the longest pause in milliseconds
 */
export function watchPauses(): () => number {
  const delays = monitorEventLoopDelay({ resolution });
  delays.enable();
  return () => {
    delays.disable();
    return Math.max(0, Math.round(delays.max / 1e6) - resolution);
  };
}
