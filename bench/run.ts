import { LocalCluster } from "../src/cluster/local-cluster.ts";
import { writes } from "./writes.ts";

const seconds = Number(process.env.BENCH_SECONDS ?? 4);
await using cluster = await LocalCluster.start();
for (const inFlight of [1, 32, 512]) {
  const figures = await writes(cluster, { inFlight, seconds });
  console.log(inFlight, JSON.stringify(figures));
}
