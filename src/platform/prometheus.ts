import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { measureNode } from "./measure-node.ts";
import type { Described, Metrics, Reading } from "./metrics.ts";

/** The metrics of one process in the text format of Prometheus, beside those of Node itself. */
export class PrometheusMetrics implements Metrics {
  readonly #registry = new Registry();

  constructor() {
    measureNode(this);
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

  histogram(described: Described, bounds: readonly number[]): (value: number) => void {
    const { name, help } = described;
    const histogram = new Histogram({
      name,
      help,
      buckets: [...bounds],
      registers: [this.#registry],
    });
    return (value) => histogram.observe(value);
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
