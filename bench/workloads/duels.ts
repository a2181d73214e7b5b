import { pause } from "../../src/platform/clock.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { DuelPairs } from "../duel-pairs.ts";
import { percentile } from "../measure.ts";
import { type Figure, figures, none, type Workload } from "../workload.ts";

/** Seconds before measuring, in which matches begin. */
const warmUpSeconds = 3;
/** The rounds of a match with lent cards. */
const rounds = 5;

export const duels: Workload<"matches" | "secondsBetween"> = {
  name: "duels",
  description: "matches of cards between two game servers: one idle, one at full speed, many",
  counts: { matches: 1_000, secondsBetween: 2 },
  async measure({ seconds, counts: { matches, secondsBetween } }) {
    await using cluster = await LocalCluster.start({ games: 2, gateways: 0 });
    const idle = await run({ name: "one match", cluster, pairs: 1, paceMs: 100, seconds });
    // 30 cards each make a match of 60 plays.
    const fast = await run({
      name: "at full speed",
      cluster,
      pairs: 1,
      paceMs: 0,
      seconds,
      packs: 6,
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
}

async function run({ name, seconds, ...asked }: Run): Promise<Figure[]> {
  await using all = await DuelPairs.start(asked);
  await pause(1_000 * warmUpSeconds + (asked.spreadMs ?? 0));
  const fromMs = performance.now();
  await pause(1_000 * seconds);
  const latencies = all.latencies(fromMs);
  return [
    ...figures(name, {
      "plays per s": all.plays(fromMs) / seconds,
      "plays per s within a match": all.matchRate(fromMs),
      "to both p50 ms": percentile(latencies, 0.5),
      "to both p99 ms": percentile(latencies, 0.99),
    }),
    none(`${name}: failures`, all.failures.length),
  ];
}
