import { monitorEventLoopDelay } from "node:perf_hooks";

/** Milliseconds between two looks at the clock. */
const resolution = 5;

/**
 * Watches how long the event loop is held up.
 * @returns a function that ends the watch and returns the longest pause in milliseconds
 */
export function watchPauses(): () => number {
  const delays = monitorEventLoopDelay({ resolution });
  delays.enable();
  return () => {
    delays.disable();
    return Math.max(0, Math.round(delays.max / 1e6) - resolution);
  };
}
