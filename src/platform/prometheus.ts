import { Counter, Gauge, type Histogram, Registry } from "prom-client";
import { measureNode } from "./measure-node.ts";
import type { Described, Metrics, Reading } from "./metrics.ts";

/** The metrics of one process in the text format of Prometheus, beside those of Node itself. */
export class PrometheusMetrics implements Metrics {
  readonly #registry = new Registry();

  constructor() {
    measureNode(this);
    // The library's first reading breaks an assumption of V8's compiler, which then drops the compiled
    // code of most functions. So that comes now, before the process is busy.
    void this.text();
  }

  counter({ labels, ...described }: Described, read: () => Reading): void {
    new Counter({
      ...described,
      labelNames: labels ?? [],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const { labels, value } of samples(read())) this.inc(labels, value);
      },
    });
  }

  gauge({ labels, ...described }: Described, read: () => Reading): void {
    new Gauge({
      ...described,
      labelNames: labels ?? [],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const { labels, value } of samples(read())) this.set(labels, value);
      },
    });
  }

  /**
   * The values are counted here, not by the library's `Histogram`: its `observe` makes several objects
   * for each value, and slowed a server's writes by 3 %.
   */
  histogram({ name, help }: Described, bounds: readonly number[]): (value: number) => void {
    const upperBounds = Float64Array.from([...bounds, Number.POSITIVE_INFINITY]);
    const counts = new Float64Array(upperBounds.length);
    let sum = 0;
    const get = async () => {
      let count = 0;
      const buckets = Array.from(upperBounds, (bound, bucket) => {
        count += counts[bucket] ?? 0;
        const le = Number.isFinite(bound) ? bound : "+Inf";
        return { metricName: `${name}_bucket`, labels: { le }, value: count };
      });
      const total = { metricName: `${name}_sum`, labels: {}, value: sum };
      const observed = { metricName: `${name}_count`, labels: {}, value: count };
      return { name, help, type: "histogram", values: [...buckets, total, observed] };
    };
    // The registry needs no more of a metric than this.
    this.#registry.registerMetric({ name, get } as unknown as Histogram);
    return (value) => {
      let bucket = 0;
      while (value > (upperBounds[bucket] as number)) bucket += 1;
      counts[bucket] = (counts[bucket] as number) + 1;
      sum += value;
    };
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}

function samples(reading: Reading) {
  return typeof reading === "number" ? [{ labels: {}, value: reading }] : reading;
}
