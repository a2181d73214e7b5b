import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Metrics } from "./metrics.ts";

/**
 * How often the event loop's lag is measured. A measurement each 10 ms would need 0.3 % of a core,
 * more than all other metrics of an idle process.
 */
const eventLoopMs = 50;

/**
 * Adds the metrics of Node and of the process, under the names that Prometheus's client libraries
 * have for them. Node's observer of garbage collections is left out, because it needs 0.3 ms for
 * each of them: a server that writes has many.
 */
export function measureNode(metrics: Metrics): void {
  const lag = monitorEventLoopDelay({ resolution: eventLoopMs });
  lag.enable();
  const gauge = (name: string, help: string, read: () => number) =>
    metrics.gauge({ name, help }, read);
  metrics.counter(
    { name: "process_cpu_seconds_total", help: "Processor time of this process, in seconds." },
    () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    },
  );
  const startSeconds = performance.timeOrigin / 1_000;
  gauge("process_start_time_seconds", "Start, in seconds since 1970.", () => startSeconds);
  gauge("process_resident_memory_bytes", "Resident memory.", () => process.memoryUsage.rss());
  gauge("nodejs_heap_size_used_bytes", "Used part of the heap.", () => {
    return process.memoryUsage().heapUsed;
  });
  gauge(
    "nodejs_eventloop_lag_p50_seconds",
    "Median lateness of timers since the last scrape.",
    () => {
      return lag.percentile(50) / 1e9;
    },
  );
  gauge("nodejs_eventloop_lag_p99_seconds", "99th percentile of the same lateness.", () => {
    const seconds = lag.percentile(99) / 1e9;
    // A scrape reads the metrics in the order in which they were added, so this is the last one.
    lag.reset();
    return seconds;
  });
}
