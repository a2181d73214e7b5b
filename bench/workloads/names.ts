import { random } from "../../src/platform/random.ts";
import { countClaims } from "../../src/trials/chaos/core/verdict.ts";
import { hasPostgres } from "../../src/trials/postgres.ts";
import { type RaceResult, raceForNames } from "../../test/cluster/race-for-names.ts";
import { latencyOf } from "../measure.ts";
import { TemporaryFolder } from "../processes.ts";
import { figures, none, type Trial, type Workload } from "../workload.ts";

const inFlight = 4;
const mostExamples = 20;

type Size = "racers" | "names" | "faults";
const counts = { racers: 50, names: 1_000, faults: 3 };

export const names: Workload<Size> = {
  name: "names",
  description: "racers register the same names while coordinators are killed, stopped and cut off",
  counts,
  async measure(trial) {
    const { race, measured } = await raced(trial, { hasEngine: false });
    const served = (["kill", "stop", "cut"] as const).flatMap((kind) => {
      return figures(`next name given after a ${kind}`, latencyOf(servedAfter(race, kind)));
    });
    return [...measured, ...served, none("violations", race.violations.length)];
  },
};

export const engineNames: Workload<Size> = {
  name: "engine-names",
  description:
    "the race for names, while servers with an engine are killed, stopped and cut off in turn",
  counts,
  missing: () => (hasPostgres ? undefined : "it needs PostgreSQL 15."),
  async measure(trial) {
    const { race, measured } = await raced(trial, { hasEngine: true });
    return [...measured, none("violations", race.violations.length)];
  },
};

async function raced({ counts, note }: Trial<Size>, { hasEngine }: { hasEngine: boolean }) {
  const { racers, names, faults } = counts;
  const seed = Math.floor(1_000_000 * random());
  note(`seed ${seed}`);
  const folder = await TemporaryFolder.make();
  const race = await raceForNames({
    folder: folder.path,
    clients: racers,
    names,
    inFlight,
    rounds: faults,
    seed,
    hasEngine,
    onFault: (fault, owned) => note(`${fault}, ${owned} names won`),
  });
  for (const { rule, detail } of race.violations.slice(0, mostExamples)) {
    note(`${rule}: ${detail}`);
  }
  if (race.violations.length === 0) await folder[Symbol.asyncDispose]();
  else {
    folder.keep();
    note(`data and logs are kept in ${folder.path}`);
  }
  const { attempted, won, taken } = countClaims(race);
  const { kill, stop, cut } = race.faults;
  const seconds = race.lengthMs / 1_000;
  const measured = [
    ...figures("registrations", { attempted, won, taken, seconds }),
    ...figures("faults", { kill, stop, cut }),
  ];
  return { race, measured };
}

function servedAfter({ failovers }: RaceResult, kind: string): number[] {
  return failovers
    .filter(({ fault }) => fault === kind)
    .flatMap(({ servedAfterMs }) => servedAfterMs ?? []);
}
