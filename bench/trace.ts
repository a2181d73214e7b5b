import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Session } from "../src/client/session.ts";
import { LocalCluster } from "../src/trials/local-cluster.ts";
import { channel, members } from "./chat-load.ts";
import { measure, median, percentile } from "./measure.ts";
import { messageText } from "./message.ts";
import { TemporaryFolder } from "./processes.ts";
import { folderVariable, type Moment, nowMs } from "./trace-hook.ts";
import { type Hop, hopsOf, type Write } from "./trace-hops.ts";

/** `npm run bench:trace [-- SECONDS]`: where the time of one write goes, with one in flight. */
const seconds = Number(process.argv[2] ?? 4);

/** Writes one message after the other to a cluster whose processes note their moments. */
async function traced(folder: string): Promise<Write[]> {
  const hooks = [import.meta.resolve("tsx"), new URL("trace-hook.ts", import.meta.url).href];
  process.env.NODE_OPTIONS = hooks.map((hook) => `--import ${hook}`).join(" ");
  process.env[folderVariable] = folder;
  await using cluster = await LocalCluster.start();
  const [session] = await members(cluster);
  const writes: Write[] = [];
  const write = async () => {
    const calledMs = nowMs();
    await (session as Session).publish(channel, messageText);
    writes.push({ calledMs, answeredMs: nowMs() });
  };
  await measure(write, { inFlight: 1, seconds });
  // The first fifth is the warm-up.
  return writes.slice(Math.floor(writes.length / 5));
}

function momentsIn(folder: string): Moment[] {
  const lines = readdirSync(folder).flatMap((name) => {
    return readFileSync(join(folder, name), "utf8").split("\n").filter(Boolean);
  });
  const moments = lines.map((line) => JSON.parse(line) as Moment);
  return moments.sort((one, other) => one.atMs - other.atMs);
}

/** Cuts the moments of each write out of all moments; both lists are in order of time. */
function hopsOfAll(writes: readonly Write[], moments: readonly Moment[]): Hop[][] {
  let first = 0;
  return writes.flatMap((write) => {
    while ((moments[first]?.atMs ?? write.calledMs) < write.calledMs) first += 1;
    let end = first;
    while ((moments[end]?.atMs ?? Number.POSITIVE_INFINITY) <= write.answeredMs) end += 1;
    const hops = hopsOf(write, moments.slice(first, end));
    return hops === undefined ? [] : [hops];
  });
}

function print(cells: readonly string[]): void {
  const [name = "", ...numbers] = cells;
  const columns = numbers.map((text) => text.padStart(9));
  process.stdout.write(`${name.padEnd(26)}${columns.join("")}\n`);
}

function printTimes(name: string, times: readonly number[]): void {
  const values = [median(times), percentile(times, 0.1), percentile(times, 0.9)];
  print([name, ...values.map((value) => value.toFixed(2))]);
}

await using folder = await TemporaryFolder.make();
const writes = await traced(folder.path);
const all = hopsOfAll(writes, momentsIn(folder.path));
print(["ms", "median", "10 %", "90 %"]);
const names = new Set(all.flatMap((hops) => hops.map(({ name }) => name)));
for (const name of names) {
  const times = all.flatMap((hops) => hops.find((hop) => hop.name === name)?.ms ?? []);
  // A heartbeat that passes at the same time looks like a hop, so rare hops are left out.
  if (times.length > all.length / 2) printTimes(name, times);
}
printTimes(
  "whole write",
  writes.map(({ calledMs, answeredMs }) => answeredMs - calledMs),
);
process.stdout.write(`${all.length} of ${writes.length} writes followed\n`);
