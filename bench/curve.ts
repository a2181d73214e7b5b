import { type ChannelName, parseChannelName, parseUserName } from "../src/protocol/ids.ts";
import { LocalCluster } from "../src/trials/local-cluster.ts";
import { writes } from "./writes.ts";

/**
 * `npm run bench:curve [-- SECONDS [ROUNDS]]`: writes to a cluster that is encrypted and has accounts, and deliveries to four listeners,
 * beside one that is plain and open; both are up, and are measured in turn.
 */
const seconds = Number(process.argv[2] ?? 4);
const rounds = Number(process.argv[3] ?? 5);
const password = "a password of the bench";

await using plain = await LocalCluster.start();
await using curve = await LocalCluster.start({ curve: true, auth: "required" });
await using client = curve.client({ proxies: [] });
await client.register(parseUserName("bench"), password);

/** Clients that hear all that is written; how much they have heard so far. */
async function listeners(cluster: LocalCluster, session?: string): Promise<() => number> {
  let heard = 0;
  for (let count = 0; count < 4; count += 1) {
    const listener = cluster.client();
    await listener.login(parseUserName("bench"), session);
    await listener.createChannel(parseChannelName("bench")).catch(() => {});
    await listener.subscribe({ channel: "bench" as ChannelName }, () => {
      heard += 1;
    });
  }
  return () => heard;
}

const heardPlain = await listeners(plain);
const heardCurve = await listeners(curve, password);

/** Writes of a few seconds, and what the listeners heard meanwhile. */
async function run(cluster: LocalCluster, heard: () => number, load: Parameters<typeof writes>[1]) {
  const [before, startedMs] = [heard(), performance.now()];
  const figures = await writes(cluster, { ...load, channel: "bench" });
  return { ...figures, heard: (1_000 * (heard() - before)) / (performance.now() - startedMs) };
}

const median = (values: number[]) =>
  (values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN).toFixed(2);

for (const inFlight of [1, 32, 512]) {
  const [written, delivered]: [number[], number[]] = [[], []];
  for (let round = 1; round <= rounds; round += 1) {
    const without = await run(plain, heardPlain, { inFlight, seconds });
    const encrypted = await run(curve, heardCurve, { inFlight, seconds, password });
    written.push(encrypted.perSecond / without.perSecond);
    delivered.push(encrypted.heard / without.heard);
    const rates = `${Math.round(without.perSecond)} → ${Math.round(encrypted.perSecond)} written`;
    const news = `${Math.round(without.heard)} → ${Math.round(encrypted.heard)} delivered a second`;
    const waits = `p50 ${without.p50Ms.toFixed(1)} → ${encrypted.p50Ms.toFixed(1)} ms`;
    process.stdout.write(`${inFlight} in flight: ${rates}, ${news}, ${waits}\n`);
  }
  process.stdout.write(
    `${inFlight} in flight, to plain: ${median(written)} written, ${median(delivered)} delivered\n`,
  );
}
