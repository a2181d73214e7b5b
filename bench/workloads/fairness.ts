import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { members, publish, warmUp } from "../chat-load.ts";
import { BenchProcess } from "../child-process.ts";
import type { Workload } from "../workload.ts";

const worker = new URL("../client-worker.ts", import.meta.url);
/** The writes of a client that does not hurry. */
const calm = { inFlight: 8, everyMs: 20 };

export const fairness: Workload<"flood"> = {
  name: "fairness",
  description: "a calm client's writes while another client floods, beside the calm client alone",
  counts: { flood: 2_000 },
  async measure({ counts: { flood }, beside, seconds }) {
    await using cluster = await LocalCluster.start();
    const sessions = await members(cluster);
    await warmUp(sessions);
    const alone = () => publish(sessions, { ...calm, seconds });
    const flooded = async () => {
      const { broker } = cluster.endpoints;
      using _flood = (await BenchProcess.start(worker, "flood", broker, `${flood}`)).started;
      return await alone();
    };
    return await beside(`beside a flood of ${flood} in flight`, flooded, alone);
  },
};
