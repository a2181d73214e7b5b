import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Host } from "../../platform/host.ts";
import { random } from "../../platform/random.ts";
import { integer, readFlag } from "../../platform/settings.ts";
import type { Language } from "../../texts/texts.ts";
import { type TrialText, trialTextsIn } from "../texts/texts.ts";
import { type ChaosConfig, type ChaosResult, type ChaosWatcher, runChaos } from "./chaos.ts";
import { describeFault, describeVerdict, inSeconds } from "./describe.ts";
import { reportPage } from "./report.ts";

export interface ChaosFlags {
  readonly seconds?: string;
  readonly seed?: string;
  readonly servers?: string;
  readonly report?: string;
  readonly postgres?: boolean;
  readonly json?: boolean;
}

export interface ChaosOptions {
  readonly flags: ChaosFlags;
  readonly language: Language;
  readonly host: Host;
}

const defaultSeconds = "60";
const defaultServers = "3";
/** Random seeds are below this number, so that a person can type them easily. */
const seeds = 1_000_000;

/**
 * `tertulia chaos`: runs a trial, and writes its verdict and report. Exits with code 1 if a rule
 * was broken or no write was acknowledged.
 */
export async function runChaosCommand({ flags, language, host }: ChaosOptions): Promise<void> {
  const text = trialTextsIn(language);
  const drawn = String(Math.floor(random() * seeds));
  const numbers = {
    seconds: readFlag("seconds", flags.seconds ?? defaultSeconds, integer(1, 86_400)),
    seed: readFlag("seed", flags.seed ?? drawn, integer(0, 2 ** 32 - 1)),
    servers: readFlag("servers", flags.servers ?? defaultServers, integer(1, 20)),
  };
  // If the report's file can't be written, the command must fail before the run.
  if (flags.report !== undefined) await writeFile(flags.report, "");
  const note = (line: string) => {
    if (!flags.json) host.errors.write(`${line}\n`);
  };
  note(text("begin", numbers));
  const folder = await mkdtemp(join(tmpdir(), "tertulia-chaos-"));
  let kept = folder;
  try {
    const config = { ...numbers, folder, hasEngine: flags.postgres === true };
    const result = await interruptible(config, host, watcher(note, text));
    if (flags.report !== undefined) await writeFile(flags.report, reportPage(result, text));
    if (result.verdict.ok) {
      await rm(folder, { recursive: true, force: true });
      kept = "";
    }
    const { report } = flags;
    const paths = { ...(kept && { folder: kept }), ...(report !== undefined && { report }) };
    const lines = flags.json
      ? [JSON.stringify({ ...result.verdict, ...paths, plan: result.plan })]
      : describeVerdict(result.verdict, text);
    for (const line of lines) host.output.write(`${line}\n`);
    host.endWith(result.verdict.ok ? 0 : 1);
  } finally {
    if (kept) host.errors.write(`${text("kept", { folder: kept })}\n`);
  }
}

/**
 * Runs a trial. The first Ctrl-C ends the faults early; the cluster is then healed and checked as
 * usual.
 */
async function interruptible(
  config: ChaosConfig,
  host: Host,
  watcher: ChaosWatcher,
): Promise<ChaosResult> {
  const stopping = new AbortController();
  using _stop = host.onStop(() => stopping.abort());
  return await runChaos(config, watcher, stopping.signal);
}

function watcher(note: (line: string) => void, text: TrialText): ChaosWatcher {
  return {
    onPhase: (phase) => note(text(`${phase}`)),
    onFault: (fault) => {
      note(`${inSeconds(fault.atMs).padStart(6)} s  ${describeFault(fault, text)}`);
    },
  };
}
