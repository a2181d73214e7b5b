import type { Host } from "../../platform/host.ts";
import { printLine, printValue } from "../../platform/print.ts";
import { Problem } from "../../platform/problem.ts";
import type { Settings } from "../../platform/settings.ts";
import { ownVersion } from "../../platform/version.ts";
import type { Role } from "../../protocol/reference-messages.ts";
import type { Text } from "../../texts/texts.ts";
import { roleOf } from "../health.ts";
import { judgeCluster } from "./core/cluster-checks.ts";
import { type Finding, inOrder } from "./core/finding.ts";
import { judgeData, judgeMachine, judgeNames, judgePorts } from "./core/host-checks.ts";
import { judgeGatewayKey, judgeKey, judgeSecret } from "./core/secret-checks.ts";
import { sentenceOf } from "./core/sentence.ts";
import { lookAtCluster } from "./look-at-cluster.ts";
import { lookAtData, lookAtGatewayKey, lookAtKey, lookAtSecret } from "./look-at-files.ts";
import { type LocalProcess, lookAtMachine, lookAtNames, lookAtPorts } from "./look-at-host.ts";

export interface DoctorCall {
  readonly settings: Settings;
  /** Returns the settings of this host's process of a role. */
  settingsOf(role: Role): Settings;
  /** The roles whose processes run on this host; empty for those of `up`. */
  readonly roles: readonly string[];
  readonly json: boolean;
  readonly text: Text;
  readonly host: Pick<Host, "onStop">;
}

/**
 * `tertulia doctor`: checks this host before and after the installation, and changes nothing on it
 * (O58).
 * @throws Problem (exit code 1) with the number of problems, if there are any
 * @throws Problem (exit code 2) if a role or a setting is invalid
 */
export async function runDoctor(call: DoctorCall): Promise<void> {
  const { json, text, host } = call;
  const stopping = new AbortController();
  // Without a listener, a signal would end the process before it has removed its file.
  using _listener = host.onStop(() => stopping.abort());
  const processes = rolesOf(call).map((role) => ({ role, settings: call.settingsOf(role) }));
  const [only, ...others] = processes;
  // A single role may have a data folder and keys of its own.
  const settings = only !== undefined && others.length === 0 ? only.settings : call.settings;
  const findings = await examine(settings, processes, stopping.signal);
  if (stopping.signal.aborted) throw new Problem(text("doctor.stopped"));
  for (const finding of findings) {
    if (json) printValue(finding);
    else printLine(`${text(`doctor.${finding.level}`)} ${sentenceOf(finding, text)}`);
  }
  const count = findings.filter(({ level }) => level === "problem").length;
  if (count === 0) return;
  throw new Problem(count === 1 ? text("doctor.oneProblem") : text("doctor.problems", { count }));
}

function rolesOf({ settings, roles, text }: DoctorCall): Role[] {
  const named =
    roles.length > 0
      ? [...new Set(roles.map((role) => roleOf(role, text)))]
      : (["reference", "broker", "proxy", "server"] as const);
  for (const [setting, binding] of binders) {
    const isShared = named.filter((role) => binding.includes(role)).length > 1;
    // Only one process can bind the endpoint.
    if (isShared && settings.optional(setting) !== undefined) roleOf(undefined, text);
  }
  return [...named];
}

/** The settings of the endpoints that processes bind, and the roles that have each setting. */
const binders: readonly (readonly ["front" | "back" | "bind", readonly Role[]])[] = [
  ["front", ["broker", "proxy"]],
  ["back", ["broker", "proxy"]],
  ["bind", ["reference", "server"]],
];

async function examine(
  settings: Settings,
  processes: readonly LocalProcess[],
  signal: AbortSignal,
): Promise<Finding[]> {
  const hasMembers = processes.some(({ role }) => role !== "bot" && role !== "gateway");
  const gateway = processes.find(({ role }) => role === "gateway");
  const server = processes.find(({ role }) => role === "server");
  // First alone, because the other checks would slow down its syncs.
  const data = await lookAtData(settings, signal);
  if (signal.aborted) return [];
  const all = [settings, ...processes.map((process) => process.settings)];
  const [names, ports] = await Promise.all([lookAtNames(all), lookAtPorts(processes)]);
  const cluster = await lookAtCluster({ settings, processes, ports });
  const hasCluster = cluster.reached.some(({ state }) => state === "greeting");
  return inOrder([
    ...judgeMachine(lookAtMachine()),
    ...judgeData(data),
    ...judgeSecret(hasMembers ? lookAtSecret(settings) : undefined, hasCluster),
    ...judgeKey(lookAtKey(settings, hasMembers)),
    ...judgeGatewayKey(gateway && lookAtGatewayKey(gateway.settings), hasCluster),
    ...judgeNames(names),
    ...judgePorts(ports),
    ...judgeCluster(cluster, {
      version: ownVersion(),
      auth: server?.settings.get("auth"),
    }),
  ]);
}
