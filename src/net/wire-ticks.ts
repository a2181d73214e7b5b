import { now } from "../platform/clock.ts";
import type { Wire } from "./wire.ts";

const tickMs = 250;

/**
 * Calls `tick` of each connection every 250 ms, for heartbeats and time-outs.
 * @param onTick called after each tick of the connections
 * @returns the timer, for `clearInterval`
 */
export function tickWires(
  wires: () => Iterable<Wire>,
  onTick: () => void = () => {},
): NodeJS.Timeout {
  let tickedMs = now().steadyMs;
  return setInterval(() => {
    const { steadyMs } = now();
    // While this process is stopped (SIGSTOP), it receives nothing. So this time does not count as
    // silence of the peers.
    const wasStopped = steadyMs - tickedMs > 2 * tickMs;
    tickedMs = steadyMs;
    for (const wire of wires()) {
      if (wasStopped) wire.excuse(steadyMs);
      wire.tick(steadyMs);
    }
    onTick();
  }, tickMs);
}
