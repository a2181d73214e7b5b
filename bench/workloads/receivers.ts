import { raceForReplies } from "../../test/cluster/receivers.ts";
import { type Figure, figures, none, type Workload } from "../workload.ts";

const mostExamples = 5;

export const receivers: Workload<"restarts" | "logins"> = {
  name: "receivers",
  description: "log-ins in flight while their broker ends: whether a reply reaches a wrong client",
  counts: { restarts: 20, logins: 60 },
  async measure({ counts: { restarts, logins }, note }) {
    const found: Figure[] = [];
    for (const signal of ["SIGKILL", "SIGTERM"] as const) {
      for (const brokers of [1, 2]) {
        for (const curve of [false, true]) {
          const race = await raceForReplies({ brokers, curve, signal, restarts, logins });
          for (const example of race.wrong.slice(0, mostExamples)) note(example);
          const { inFlight, answered, newcomers } = race;
          const name = `${signal}, ${brokers} broker(s)${curve ? ", encrypted" : ""}`;
          const values = { "log-ins in flight": inFlight, newcomers, answered };
          found.push(...figures(name, values));
          found.push(none(`${name}: replies at the wrong client`, race.wrong.length));
        }
      }
    }
    return found;
  },
};
