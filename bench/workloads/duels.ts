import { open } from "node:fs/promises";
import { join } from "node:path";
import { pause } from "../../src/platform/clock.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { DuelPairs } from "../duel-pairs.ts";
import { measure, percentile } from "../measure.ts";
import { roundTrips } from "../raw.ts";
import { type Figure, figures, none, type Values, type Workload } from "../workload.ts";

/** Seconds before measuring, in which matches begin, and V8 compiles what is used most. */
const warmUpSeconds = 10;
/** A match at rest has few plays, and a 99th percentile needs many: so it runs longer. */
const idleTimes = 3;
/** The rounds of a match with lent cards. */
const rounds = 5;

export const duels: Workload<"matches" | "secondsBetween"> = {
  name: "duels",
  description: "matches of cards between two game servers: one idle, one at full speed, many",
  counts: { matches: 1_000, secondsBetween: 2 },
  async measure({ seconds, counts: { matches, secondsBetween } }) {
    await using cluster = await LocalCluster.start({ games: 2, gateways: 0 });
    // 30 cards each make a match of 60 plays.
    const fast = await run({
      name: "at full speed",
      cluster,
      pairs: 1,
      paceMs: 0,
      seconds,
      packs: 6,
      ceiling: await barePlays(cluster.folder, seconds),
    });
    const idle = await run({
      name: "one match",
      cluster,
      pairs: 1,
      paceMs: 100,
      seconds: idleTimes * seconds,
    });
    // Each of the two players plays once in so many seconds.
    const paceMs = 1_000 * secondsBetween;
    const spreadMs = rounds * paceMs;
    const many = await run({
      name: `${matches} matches`,
      cluster,
      pairs: matches,
      spreadMs,
      paceMs,
      seconds,
    });
    return [...idle, ...fast, ...many];
  },
};

interface Run {
  readonly name: string;
  readonly cluster: LocalCluster;
  readonly pairs: number;
  readonly paceMs: number;
  readonly seconds: number;
  readonly packs?: number;
  readonly spreadMs?: number;
  readonly ceiling?: Values;
}

async function run({ name, seconds, ceiling, ...asked }: Run): Promise<Figure[]> {
  await using all = await DuelPairs.start(asked);
  await pause(1_000 * warmUpSeconds + (asked.spreadMs ?? 0));
  const fromMs = performance.now();
  await pause(1_000 * seconds);
  const latencies = all.latencies(fromMs);
  const values = {
    "plays per s": all.plays(fromMs) / seconds,
    "plays per s within a match": all.matchRate(fromMs),
    "to both p50 ms": percentile(latencies, 0.5),
    "to both p99 ms": percentile(latencies, 0.99),
  };
  return [...figures(name, values, ceiling), none(`${name}: failures`, all.failures.length)];
}

/**
 * What ZeroMQ and the disk alone need for a play: eight messages one after the other (to the host,
 * three exchanges with the shadow, to the player), and one sync. The two plays of a round follow each
 * other, because the second one is judged by what the first has made.
 */
async function barePlays(folder: string, seconds: number): Promise<Values> {
  // Through the broker and back are four messages.
  const { "p50 ms": messagesMs = Number.NaN } = await roundTrips({ inFlight: 1, seconds });
  await using file = await open(join(folder, "synced"), "w");
  const sync = async () => {
    await file.writeFile("x".repeat(600));
    await file.datasync();
  };
  const { "p50 ms": syncMs = Number.NaN } = await measure(sync, { inFlight: 1, seconds: 1 });
  const playMs = 2 * messagesMs + syncMs;
  return { "plays per s within a match": 1_000 / playMs, "to both p50 ms": playMs };
}
