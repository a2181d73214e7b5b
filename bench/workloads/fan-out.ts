import type { Session } from "../../src/client/session.ts";
import type { ChannelName } from "../../src/protocol/ids.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { Audience, type Delivered, delivered, fanOut, fanOutFigures } from "../audience.ts";
import { channel, channelNames, members, warmUp } from "../chat-load.ts";
import { numbered } from "../message.ts";
import { rawFanOut } from "../raw.ts";
import type { Workload } from "../workload.ts";

const inFlight = 512;
/** The listeners hear only the other channel. */
const [warmChannel] = channelNames(1) as [ChannelName];
const worker = new URL("../client-worker.ts", import.meta.url);

export const fanOutWorkload: Workload = {
  name: "fan-out",
  description: "one publisher, ten subscriber processes; and the same history read by all ten",
  async measure({ seconds }) {
    // The whole history is kept, so that the listeners can replay it.
    const settings = () => ({ TERTULIA_KEEP_PUBLICATIONS: "10000000" });
    await using cluster = await LocalCluster.start({ settings });
    using audience = await Audience.start(worker);
    const [publisher] = await members(cluster, { channels: [channel, warmChannel] });
    await warmUp([publisher as Session], [warmChannel]);
    const { broker, proxy } = cluster.endpoints;
    await audience.open(broker, proxy, "live");
    const publish = (number: number) => (publisher as Session).publish(channel, numbered(number));
    const live = await fanOut({ audience, publish, inFlight, seconds });
    const replay = await replayed(audience, [broker, proxy], live.sent);
    const raw = await rawFanOut(seconds);
    return [...fanOutFigures("live", live, raw), ...fanOutFigures("replay", replay, raw)];
  },
};

/** Lets the listeners begin again, at the beginning of the channel, and counts until they have all. */
async function replayed(
  audience: Audience,
  endpoints: readonly string[],
  sent: number,
): Promise<Delivered> {
  const startMs = performance.now();
  await audience.open(...endpoints, "replay");
  return delivered(audience, sent, startMs);
}
