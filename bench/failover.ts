import type { Session } from "../src/client/session.ts";
import { writeEpoch } from "../src/protocol/epoch.ts";
import { parseChannelName, parseUserName } from "../src/protocol/ids.ts";
import { LocalCluster } from "../src/trials/local-cluster.ts";
import { percentile } from "./measure.ts";

/**
 * `npm run bench:failover [-- KILLS]`: kill -9 of the coordinator under load, again and again: the
 * time until a claim is served that was made after the kill, and what the chat notices of it (E4).
 */
const kills = Number(process.argv[2] ?? 100);
const writers = 8;
const probeEveryMs = 25;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Who is in office by the word of whoever answers, once somebody is. */
async function coordinator(client: Session): Promise<{ name: string; epoch: string }> {
  for (;;) {
    const { coordinator: name, epoch } = await client.status();
    if (name !== null && epoch !== null) return { name, epoch: writeEpoch(epoch) };
    await pause(probeEveryMs);
  }
}

await using cluster = await LocalCluster.start();
await using client = cluster.client({ proxies: [], deadlineMs: 30_000 });
await client.login(parseUserName("bench"));
await client.createChannel(parseChannelName("bench"));

const latencies: number[] = [];
let isOver = false;
const writer = async () => {
  while (!isOver) {
    const startMs = performance.now();
    await client.publish(parseChannelName("bench"), "x".repeat(120));
    latencies.push(performance.now() - startMs);
    await pause(20);
  }
};
const writing = Promise.all(Array.from({ length: writers }, writer));

const served: number[] = [];
const epochs = new Set<string>();
let names = 0;
for (let kill = 1; kill <= kills; kill += 1) {
  const before = await coordinator(client);
  epochs.add(before.epoch);
  const victim = cluster.of("server").find(({ ready }) => ready?.name === before.name);
  if (victim === undefined) throw new Error(`${before.name} is no server of this cluster`);
  const back = victim.nextReady();
  victim.signal("SIGKILL");
  const killedMs = performance.now();
  let servedMs: number | undefined;
  const claims: Promise<unknown>[] = [];
  while (servedMs === undefined) {
    names += 1;
    const user = `name${names}`;
    // Those that were on their way to the victim come back seconds later.
    const claim = client.ask("register", { user: parseUserName(user), password: user });
    claims.push(claim.then(() => (servedMs ??= performance.now() - killedMs)));
    await pause(probeEveryMs);
  }
  served.push(servedMs);
  await Promise.all([back, ...claims]);
  const after = await coordinator(client);
  if (epochs.has(after.epoch)) throw new Error(`epoch ${after.epoch} was there before the kill`);
}
isOver = true;
await writing;
process.stdout.write(
  `${kills} kills of the coordinator, ${epochs.size} epochs\n` +
    `next claim served: p50 ${percentile(served, 0.5).toFixed(0)} ms, ` +
    `p99 ${percentile(served, 0.99).toFixed(0)} ms, at most ${percentile(served, 1).toFixed(0)} ms\n` +
    `chat meanwhile (${latencies.length} messages): p50 ${percentile(latencies, 0.5).toFixed(1)} ms, ` +
    `p99 ${percentile(latencies, 0.99).toFixed(1)} ms, at most ${percentile(latencies, 1).toFixed(0)} ms\n`,
);
