import type { Session } from "../../src/client/session.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { channel, fill, members } from "../chat-load.ts";
import { measure } from "../measure.ts";
import { roundTrips } from "../raw.ts";
import type { Figure, Workload } from "../workload.ts";

const limit = 50;
const written = 1_000;

export const reads: Workload = {
  name: "reads",
  description: `pages of ${limit} entries of a channel's history`,
  async measure({ seconds, beside }) {
    await using cluster = await LocalCluster.start();
    const sessions = await members(cluster);
    const reader = sessions[0] as Session;
    await fill(sessions, written);
    const found: Figure[] = [];
    for (const inFlight of [1, 32]) {
      const load = { inFlight, seconds };
      const read = () => measure(() => reader.history({ channel }, { limit }), load);
      found.push(...(await beside(`${inFlight} in flight`, read, () => roundTrips(load))));
    }
    return found;
  },
};
