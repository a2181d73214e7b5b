import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { random } from "../src/platform/random.ts";
import { latencyOf } from "../src/trials/chaos/core/pace.ts";
import { countClaims } from "../src/trials/chaos/core/verdict.ts";
import { raceForNames } from "../test/cluster/race-for-names.ts";

/**
 * `npm run bench:claims [-- CLIENTS [NAMES [ROUNDS]]]`: all clients register all names at once, over
 * three servers, while the coordinator is killed, stopped and cut off in each round; then who owns
 * what, by all replicas. Exit code 1 if any name has another owner than was told.
 */
const clients = Number(process.argv[2] ?? 50);
const names = Number(process.argv[3] ?? 1_000);
const rounds = Number(process.argv[4] ?? 3);
const inFlight = 4;
const mostExamples = 20;

function say(what: string, value: string | number): void {
  process.stdout.write(`${what.padEnd(44)} ${value}\n`);
}

const seed = Math.floor(1_000_000 * random());
const folder = await mkdtemp(join(tmpdir(), "tertulia-claims-"));
say("seed", seed);
const race = await raceForNames({
  folder,
  clients,
  names,
  inFlight,
  rounds,
  seed,
  onFault: (fault, owned) => say(`  ${fault}, names owned`, owned),
});
const { faults, failovers, violations } = race;
const counts = countClaims(race);
const rulesBroken = violations.map(({ rule }) => rule);
say("names", counts.names);
say("claims attempted", counts.attempted);
say("told OK", counts.won);
say("told taken", counts.taken);
say("kills, stops, cuts", `${faults.kill}, ${faults.stop}, ${faults.cut}`);
for (const kind of ["kill", "stop", "cut"] as const) {
  const served = failovers
    .filter(({ fault }) => fault === kind)
    .flatMap(({ servedAfterMs }) => servedAfterMs ?? []);
  const figures = latencyOf(served);
  const text = figures && `median ${figures.p50Ms}, longest ${figures.maxMs}`;
  say(`ms from ${kind} to the next claim served`, text ?? "none");
}
say("duration, s", (race.lengthMs / 1_000).toFixed(1));
say("owners equal on all replicas", rulesBroken.includes("ownersDiffer") ? "no" : "yes");
say("violations", violations.length);
for (const { rule, detail } of violations.slice(0, mostExamples)) say(`  ${rule}`, detail);
if (violations.length === 0) await rm(folder, { recursive: true, force: true });
else say("data and logs are kept in", folder);
process.exit(violations.length === 0 ? 0 : 1);
