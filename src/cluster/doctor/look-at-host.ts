import { isIP } from "node:net";
import { probe, whyUnbindable } from "../../net/probe.ts";
import { addressOfName } from "../../net/resolve.ts";
import { locally } from "../../net/socket.ts";
import { splitKey } from "../../platform/endpoint.ts";
import { memoryBytes, mostOpenFiles, nodeVersion } from "../../platform/machine.ts";
import { splitHost } from "../../platform/parse-endpoint.ts";
import { Problem } from "../../platform/problem.ts";
import { flagOf, type SettingName, type Settings } from "../../platform/settings.ts";
import { leastNodeVersion } from "../../platform/version.ts";
import type { Role } from "../../protocol/reference-messages.ts";
import { boundEndpoints, hasAnyPort, whyUnready } from "../health.ts";
import type { HostName, Machine, Port } from "./core/host-checks.ts";

const timeoutMs = 2_000;

export function lookAtMachine(): Machine {
  return {
    node: nodeVersion,
    leastNode: leastNodeVersion(),
    openFiles: mostOpenFiles(),
    memoryBytes: memoryBytes(),
  };
}

/** A process of this host, which may run already. */
export interface LocalProcess {
  readonly role: Role;
  readonly settings: Settings;
}

/** Resolves the host names of all endpoints in the settings. */
export function lookAtNames(all: readonly Settings[]): Promise<HostName[]> {
  const flagsOf = new Map<string, Set<string>>();
  for (const [setting, host] of all.flatMap(hostsIn)) {
    if (host === undefined || host === "*" || isIP(host) !== 0) continue;
    flagsOf.set(host, (flagsOf.get(host) ?? new Set()).add(flagOf(setting)));
  }
  return Promise.all(
    [...flagsOf].map(async ([name, flags]) => {
      return { name, flags: [...flags], isKnown: (await addressOfName(name)) !== undefined };
    }),
  );
}

function hostsIn(settings: Settings): (readonly [SettingName, string | undefined])[] {
  const connected = (["broker", "brokerBack", "proxyIn", "proxy", "reference"] as const).flatMap(
    (name) => settings.get(name).map((end) => [name, hostOf(splitKey(end).address)] as const),
  );
  const bound = (["front", "back", "bind"] as const).map(
    (name) => [name, hostOf(settings.optional(name))] as const,
  );
  const place = settings.optional("advertise");
  const advertised = place?.includes("://") ? hostOf(place) : place;
  return [...connected, ...bound, ["advertise", advertised]];
}

function hostOf(endpoint = ""): string | undefined {
  return splitHost(endpoint)?.host;
}

/** Finds out who uses the ports that the processes bind. */
export async function lookAtPorts(processes: readonly LocalProcess[]): Promise<Port[]> {
  const ports = processes.flatMap(({ role, settings }) =>
    boundEndpoints(settings, role)
      .filter((endpoint) => !hasAnyPort(endpoint))
      .map((endpoint) => lookAtPort({ role, settings }, endpoint)),
  );
  return await Promise.all(ports);
}

async function lookAtPort({ role, settings }: LocalProcess, endpoint: string): Promise<Port> {
  const port = { role, endpoint };
  // The check does not bind the path of a Unix socket, because that would create a file.
  const isPath = endpoint.startsWith("ipc://");
  const code = isPath ? "EADDRINUSE" : await whyUnbindable(endpoint);
  if (code === undefined) return { ...port, state: "free" };
  if (code !== "EADDRINUSE") return { ...port, state: { code } };
  const answer = await probe(locally(endpoint), timeoutMs);
  if (answer === "refused" && isPath) return { ...port, state: "free" };
  // A gateway does not greet as a ZeroMQ socket does; its HTTP tells whether it is one.
  if (answer !== "greeting" && role !== "gateway") return { ...port, state: "taken" };
  if (role === "broker" || role === "proxy") return { ...port, state: "ours" };
  try {
    return { ...port, state: "ours", unready: await whyUnready(settings, role) };
  } catch (error) {
    if (error instanceof Problem) return { ...port, state: "taken" };
    throw error;
  }
}
