import { random } from "../../src/platform/random.ts";
import { countClaims } from "../../src/trials/chaos/core/verdict.ts";
import { type RaceResult, raceForNames } from "../../test/cluster/race-for-names.ts";
import { latencyOf } from "../measure.ts";
import { TemporaryFolder } from "../processes.ts";
import { figures, none, type Workload } from "../workload.ts";

const inFlight = 4;
const mostExamples = 20;

export const names: Workload<"racers" | "names" | "faults"> = {
  name: "names",
  description: "racers register the same names while coordinators are killed, stopped and cut off",
  counts: { racers: 50, names: 1_000, faults: 3 },
  async measure({ counts, note }) {
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
    return [
      ...figures("registrations", { attempted, won, taken, seconds }),
      ...figures("faults", { kill, stop, cut }),
      ...(["kill", "stop", "cut"] as const).flatMap((kind) => {
        return figures(`next name given after a ${kind}`, latencyOf(servedAfter(race, kind)));
      }),
      none("violations", race.violations.length),
    ];
  },
};

function servedAfter({ failovers }: RaceResult, kind: string): number[] {
  return failovers
    .filter(({ fault }) => fault === kind)
    .flatMap(({ servedAfterMs }) => servedAfterMs ?? []);
}
