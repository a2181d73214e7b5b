import { runMatches } from "./matches/run-matches.ts";
import { type Outcome, run } from "./run.ts";

/** What a simulation simulates: the servers of a cluster, or the game servers that host matches. */
export type WorldName = "cluster" | "matches";

/** For each world, one run of a seed. */
export const worlds: Readonly<Record<WorldName, (seed: number) => Outcome>> = {
  cluster: run,
  matches: runMatches,
};
