import { LocalCluster } from "../src/cluster/local-cluster.ts";
import { writes } from "./writes.ts";

/**
 * `npm run bench:curve [-- SECONDS [ROUNDS]]`: writes to a cluster that is encrypted and has accounts
 * beside one that is plain and open; both are up, and are measured in turn.
 */
const seconds = Number(process.argv[2] ?? 4);
const rounds = Number(process.argv[3] ?? 5);
const password = "a password of the bench";

await using plain = await LocalCluster.start();
await using curve = await LocalCluster.start({ curve: true, auth: "required" });
await using client = curve.client({ proxies: [] });
await client.register("bench", password);

for (const inFlight of [1, 32, 512]) {
  const ratios: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const without = await writes(plain, { inFlight, seconds });
    const encrypted = await writes(curve, { inFlight, seconds, password });
    ratios.push(encrypted.perSecond / without.perSecond);
    const rates = `${Math.round(without.perSecond)} → ${Math.round(encrypted.perSecond)} a second`;
    const waits = `p50 ${without.p50Ms.toFixed(1)} → ${encrypted.p50Ms.toFixed(1)} ms`;
    process.stdout.write(`${inFlight} in flight: ${rates}, ${waits}\n`);
  }
  const median = ratios.sort((a, b) => a - b)[Math.floor(rounds / 2)] ?? Number.NaN;
  process.stdout.write(`${inFlight} in flight: ${median.toFixed(2)} of the plain rate (median)\n`);
}
