import { roles } from "../../src/protocol/reference-messages.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { members, publish, warmUp } from "../chat-load.ts";
import { BenchProcess } from "../child-process.ts";
import { processorSeconds, withoutProc } from "../processes.ts";
import type { Figure, Values, Workload } from "../workload.ts";

const scraper = new URL("../scraper.ts", import.meta.url);

export const metrics: Workload = {
  name: "metrics",
  description: "writes to a cluster whose metrics are read each 5 s, beside one without metrics",
  missing: withoutProc,
  async measure({ seconds, beside }) {
    await using plain = await LocalCluster.start();
    await using measured = await LocalCluster.start({ hasMetrics: true });
    const [plainSessions, measuredSessions] = [await members(plain), await members(measured)];
    await warmUp(plainSessions);
    await warmUp(measuredSessions);
    const found: Figure[] = [];
    for (const inFlight of [32, 512]) {
      const load = { inFlight, seconds };
      const written = () => worked(measured, () => publish(measuredSessions, load));
      const whileRead = () => scraped(measured, written);
      const alone = () => worked(plain, () => publish(plainSessions, load));
      found.push(...(await beside(`${inFlight} in flight`, whileRead, alone)));
    }
    return found;
  },
};

/** Adds the processor time that the cluster needed for a write, which other programs disturb least. */
export async function worked(
  cluster: LocalCluster,
  measure: () => Promise<Values>,
): Promise<Values> {
  const pids = roles.flatMap((role) => cluster.of(role).flatMap(({ pid }) => pid ?? []));
  const [before, startMs] = [processorSeconds(pids), performance.now()];
  const values = await measure();
  const seconds = (performance.now() - startMs) / 1_000;
  const share = (processorSeconds(pids) - before) / seconds;
  return { ...values, "µs of processor": (1e6 * share) / (values["per s"] ?? Number.NaN) };
}

/** Has another process read all metrics while the measurement runs. */
async function scraped(cluster: LocalCluster, measure: () => Promise<Values>): Promise<Values> {
  const urls = roles.flatMap((role) =>
    cluster.of(role).flatMap(({ ready }) => ready?.endpoints.metrics ?? []),
  );
  const pages = urls.map((url) => `${url.replace("tcp:", "http:")}/metrics`);
  const { started } = await BenchProcess.start(scraper, ...pages);
  using _reading = started;
  return await measure();
}
