import { pause } from "../../src/platform/clock.ts";
import {
  cli,
  Embedded,
  megabytes,
  processorSeconds,
  TemporaryFolder,
  withoutProc,
} from "../processes.ts";
import { figures, type Workload } from "../workload.ts";

/** After a start, servers still elect a coordinator and collect garbage. */
const settleMs = 3_000;

export const idle: Workload<"idleSeconds"> = {
  name: "idle",
  description: "all processes of `tertulia up`, with three servers and without any client",
  counts: { idleSeconds: 10 },
  missing: withoutProc,
  async measure({ counts: { idleSeconds } }) {
    await using data = await TemporaryFolder.make();
    await using cluster = await Embedded.start([process.execPath, cli, "up"], data.path);
    const { pids } = cluster;
    await pause(settleMs);
    const [before, startMs] = [processorSeconds(pids), performance.now()];
    await pause(1_000 * idleSeconds);
    const seconds = (performance.now() - startMs) / 1_000;
    const share = (100 * (processorSeconds(pids) - before)) / seconds;
    const memory = { "MB, shared once": megabytes(pids, "Pss"), "MB of RSS": megabytes(pids) };
    return figures("all processes", { "% of a core": share, ...memory });
  },
};
