import { parseChannelName, parseUserName } from "../src/protocol/ids.ts";
import { LocalCluster } from "../src/trials/local-cluster.ts";
import { percentile } from "./measure.ts";

/**
 * `npm run bench:logins [-- ROUNDS]`: chat where accounts are, in turn without log-ins and with 1,000
 * a minute: what they take themselves, and what they cost the chat.
 */
const rounds = Number(process.argv[2] ?? 6);
const roundMs = 10_000;
const everyMs = 60;
const writers = 8;
/** Of one account and over one connection only so many attempts are taken (A9). */
const accounts = 300;
const connections = 60;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const passwordOf = (user: string) => `the password of ${user}`;

await using cluster = await LocalCluster.start({ auth: "required" });
const clients = Array.from({ length: connections }, () => cluster.client({ proxies: [] }));
const clientOf = (number: number) => clients[number % connections] as (typeof clients)[number];
const users = Array.from({ length: accounts }, (_, number) => `user${number}`);
for (const [number, user] of users.entries()) {
  await clientOf(number).register(parseUserName(user), passwordOf(user));
}
await using chat = cluster.client({ proxies: [] });
await chat.register(parseUserName("bench"), passwordOf("bench"));
await chat.login(parseUserName("bench"), passwordOf("bench"));
await chat.createChannel(parseChannelName("bench"));

async function talk(untilMs: number): Promise<number[]> {
  const latencies: number[] = [];
  const write = async () => {
    while (performance.now() < untilMs) {
      const startMs = performance.now();
      await chat.publish(parseChannelName("bench"), "x".repeat(120));
      latencies.push(performance.now() - startMs);
      await pause(20);
    }
  };
  await Promise.all(Array.from({ length: writers }, write));
  return latencies;
}

let next = 0;
async function logIn(untilMs: number): Promise<number[]> {
  const latencies: number[] = [];
  const open: Promise<void>[] = [];
  for (let dueMs = performance.now(); dueMs < untilMs; dueMs += everyMs) {
    await pause(Math.max(0, dueMs - performance.now()));
    const number = next % accounts;
    next += 1;
    const user = users[number] as string;
    const startMs = performance.now();
    const login = clientOf(number).login(parseUserName(user), passwordOf(user));
    open.push(login.then(() => void latencies.push(performance.now() - startMs)));
  }
  await Promise.all(open);
  return latencies;
}

const say = (what: string, latencies: readonly number[]) => {
  const [p50, p99] = [0.5, 0.99].map((share) => percentile(latencies, share).toFixed(1));
  process.stdout.write(
    `${what.padEnd(24)} ${latencies.length} done, p50 ${p50} ms, p99 ${p99} ms\n`,
  );
};

await talk(performance.now() + roundMs);
const alone: number[] = [];
const beside: number[] = [];
const logins: number[] = [];
const ratios: number[] = [];
for (let round = 1; round <= rounds; round += 1) {
  const quiet = await talk(performance.now() + roundMs);
  const untilMs = performance.now() + roundMs;
  const [busy, done] = await Promise.all([talk(untilMs), logIn(untilMs)]);
  ratios.push(percentile(busy, 0.99) / percentile(quiet, 0.99));
  alone.push(...quiet);
  beside.push(...busy);
  logins.push(...done);
}
say("chat alone", alone);
say("chat beside log-ins", beside);
say("log-ins", logins);
const list = ratios.map((ratio) => ratio.toFixed(2)).join(", ");
process.stdout.write(
  `p99 of the chat, with to without: ${list}; median ${percentile(ratios, 0.5).toFixed(2)}\n`,
);
