import { readFileSync } from "node:fs";
import { join } from "node:path";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { channelNames, fill, members, publish } from "../chat-load.ts";
import { megabytes, withoutProc } from "../processes.ts";
import { figures, type Workload } from "../workload.ts";

const load = { inFlight: 16 };
/** So many that retention keeps a million publications (J3). */
const channels = channelNames(10);
/** Bytes of the journal after which a server saves its state: few, so that saves are frequent. */
const often = 1_000_000;
const never = 1_073_741_824;

interface LogLine {
  readonly msg: string;
  readonly ms?: number;
  readonly longestPauseMs?: number;
}

export const checkpoint: Workload<"publications"> = {
  name: "checkpoint",
  description: "writes while servers save their state, beside servers that do not save",
  counts: { publications: 1_000_000 },
  missing: withoutProc,
  async measure({ counts: { publications }, beside, seconds }) {
    await using saving = await open(often);
    await using quiet = await open(never);
    const saves = await members(saving, { channels });
    const noSaves = await members(quiet, { channels });
    await fill(saves, publications, channels);
    await fill(noSaves, publications, channels);
    const earlier = savesOf(saving).length;
    const written = await beside(
      "writes",
      () => publish(saves, { ...load, seconds }, channels),
      () => publish(noSaves, { ...load, seconds }, channels),
    );
    const found = savesOf(saving).slice(earlier);
    const servers = saving.of("server").flatMap(({ pid }) => pid ?? []);
    const most = (values: readonly number[]) => Math.max(0, ...values);
    const values = {
      saves: found.length,
      "longest save ms": most(found.map(({ ms = 0 }) => ms)),
      "longest pause ms": most(found.map(({ longestPauseMs = 0 }) => longestPauseMs)),
      "MB of a server": megabytes(servers) / servers.length,
    };
    return [...written, ...figures("servers", values)];
  },
};

function open(checkpointBytes: number): Promise<LocalCluster> {
  const settings = () => ({ TERTULIA_CHECKPOINT_BYTES: String(checkpointBytes) });
  return LocalCluster.start({ logLevel: "info", settings });
}

/** The log lines of all saves that servers have finished. */
function savesOf(cluster: LocalCluster): LogLine[] {
  return cluster.of("server").flatMap(({ number }) => {
    const text = readFileSync(join(cluster.folder, "logs", `server-${number}.log`), "utf8");
    const lines = text.split("\n").filter((line) => line.startsWith("{"));
    return lines
      .map((line) => JSON.parse(line) as LogLine)
      .filter(({ msg }) => msg === "Saved the state");
  });
}
