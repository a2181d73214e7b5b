import { setInterval } from "node:timers/promises";
import { endWithBench } from "./child-process.ts";

/** As often as `ops/prometheus/prometheus.yml` scrapes. */
const scrapeMs = 5_000;

/** A process that reads the metrics at these addresses again and again, as Prometheus does. */
endWithBench();
const urls = process.argv.slice(2);
const scrape = async () => {
  for (const url of urls) await (await fetch(url)).text();
};
await scrape();
process.send?.("reading");
for await (const _ of setInterval(scrapeMs)) await scrape();
