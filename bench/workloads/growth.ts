import type { Session } from "../../src/client/session.ts";
import type { ChannelName } from "../../src/protocol/ids.ts";
import { LocalCluster, type LocalClusterOptions } from "../../src/trials/local-cluster.ts";
import { channelNames, fill, members, publish, warmUp } from "../chat-load.ts";
import { BenchProcess } from "../child-process.ts";
import { type Figure, figures, type Trial, type Workload } from "../workload.ts";

const worker = new URL("../client-worker.ts", import.meta.url);
const inFlight = 512;
const usual = { channels: 10, clients: 10 };

/** A cluster that has grown, and its clients. */
interface Grown extends AsyncDisposable {
  readonly sessions: readonly Session[];
  readonly channels: readonly ChannelName[];
  readonly cluster: LocalCluster;
}

type Size = "publications" | "servers" | "channels" | "clients";

export const growth: Workload<Size> = {
  name: "growth",
  description: "writes to a cluster that has grown, beside an empty one (a size of 0: left out)",
  counts: { publications: 1_000_000, servers: 5, channels: 10_000, clients: 1_000 },
  async measure(trial) {
    const { publications, servers, channels, clients } = trial.counts;
    const found: Figure[] = [];
    if (publications > 0) found.push(...(await ofPublications(trial)));
    if (servers > 0) {
      await using grown = await open({ servers });
      found.push(...(await beside(trial, `${servers} servers`, grown)));
    }
    if (channels > 0) {
      await using grown = await open({}, { channels });
      found.push(...(await beside(trial, `${channels} channels`, grown)));
    }
    if (clients > 0) {
      await using grown = await open();
      const crowd = String(clients - usual.clients);
      const { broker } = grown.cluster.endpoints;
      using _crowd = (await BenchProcess.start(worker, "crowd", broker, crowd)).started;
      found.push(...(await beside(trial, `${clients} clients`, grown)));
    }
    return found;
  },
};

async function ofPublications(trial: Trial<Size>): Promise<Figure[]> {
  const { publications } = trial.counts;
  await using grown = await open();
  const perSecond = await fill(grown.sessions, publications, grown.channels);
  const name = `${publications} publications`;
  return [...figures(name, { "written per s": perSecond }), ...(await beside(trial, name, grown))];
}

async function open(options: LocalClusterOptions = {}, sizes = {}): Promise<Grown> {
  const { channels: count, clients } = { ...usual, ...sizes };
  const cluster = await LocalCluster.start(options);
  const channels = channelNames(count);
  const sessions = await members(cluster, { count: clients, channels });
  await warmUp(sessions, channels);
  return {
    cluster,
    channels,
    sessions,
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  };
}

/** Measures the same writes on a cluster that has grown and on a new one. */
async function beside(
  { beside, seconds }: Trial<Size>,
  name: string,
  grown: Grown,
): Promise<Figure[]> {
  await using empty = await open();
  const load = { inFlight, seconds };
  const written = ({ sessions, channels }: Grown) => publish(sessions, load, channels);
  return await beside(
    name,
    () => written(grown),
    () => written(empty),
  );
}
