import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { channel, members } from "../chat-load.ts";
import { messageText } from "../message.ts";
import type { Workload } from "../workload.ts";
import { measureWrites } from "../write-loads.ts";

export const writes: Workload = {
  name: "writes",
  description: "publications of 120 bytes, each on a majority's disks before its answer",
  async measure(trial) {
    await using cluster = await LocalCluster.start();
    return await measureWrites(trial, async (connections) => {
      const sessions = await members(cluster, { count: connections });
      return sessions.map((session) => () => session.publish(channel, messageText));
    });
  },
};
