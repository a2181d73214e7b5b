import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { members, publish, warmUp } from "../chat-load.ts";
import { withoutProc } from "../processes.ts";
import type { Figure, Workload } from "../workload.ts";
import { worked } from "./metrics.ts";

export const steps: Workload = {
  name: "steps",
  description: "writes to a cluster that remembers steps, beside one that remembers none (O63)",
  missing: withoutProc,
  async measure({ seconds, beside }) {
    await using without = await LocalCluster.start({ settings: () => ({ TERTULIA_STEPS: "0" }) });
    await using remembering = await LocalCluster.start();
    const sessions = { without: await members(without), remembering: await members(remembering) };
    await warmUp(sessions.without);
    await warmUp(sessions.remembering);
    const found: Figure[] = [];
    for (const inFlight of [32, 512]) {
      const load = { inFlight, seconds };
      const recorded = () => worked(remembering, () => publish(sessions.remembering, load));
      const alone = () => worked(without, () => publish(sessions.without, load));
      found.push(...(await beside(`${inFlight} in flight`, recorded, alone)));
    }
    return found;
  },
};
