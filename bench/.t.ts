import { LocalCluster } from "../src/cluster/local-cluster.ts";
import { writes } from "./writes.ts";

await using cluster = await LocalCluster.start({ logLevel: "info" });
for (const inFlight of [32, 512, 2048]) {
  const f = await writes(cluster, { inFlight, seconds: 2 });
  console.log(inFlight, Math.round(f.perSecond), f.p50Ms.toFixed(1), f.p99Ms.toFixed(1));
}
