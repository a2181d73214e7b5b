import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { channelNames, fill, members, publish } from "../chat-load.ts";
import { timed } from "../measure.ts";
import { figures, type Workload } from "../workload.ts";

const load = { inFlight: 16 };
/** So many that retention keeps a million publications (J3). */
const channels = channelNames(10);

export const catchUp: Workload<"publications"> = {
  name: "catch-up",
  description: "a server starts again after kill -9, and a fourth one joins, during writes",
  counts: { publications: 1_000_000 },
  async measure({ counts: { publications }, beside, seconds }) {
    await using cluster = await LocalCluster.start();
    const sessions = await members(cluster, { channels });
    await fill(sessions, publications, channels);
    const waits: Record<string, number> = {};
    /** Writes while something happens, and notes how long that took. */
    const during = (name: string, happen: () => Promise<unknown>) => async () => {
      const over = new AbortController();
      const written = publish(sessions, { ...load, until: over.signal }, channels);
      waits[name] = (await timed(happen)).ms;
      over.abort();
      return written;
    };
    const alone = () => publish(sessions, { ...load, seconds }, channels);
    const again = during("serves again, after ms", () => killed(cluster));
    const joined = during("serves when it has joined, after ms", () => cluster.addServer());
    return [
      ...(await beside("writes while it starts again", again, alone)),
      ...(await beside("writes while a fourth joins", joined, alone)),
      ...figures("the server", waits),
    ];
  },
};

async function killed(cluster: LocalCluster): Promise<void> {
  const victim = cluster.server(1);
  const ready = victim.nextReady();
  victim.signal("SIGKILL");
  await ready;
}
