import { execFile, execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Hosts } from "../cluster/hosts.ts";
import { until } from "../support/until.ts";
import { type Cable, deaf, mute, type Network, pulled } from "./network.ts";

/** What the faults act on. */
export interface Scene {
  readonly hosts: Hosts;
  readonly network: Network;
  /** The file from which the processes of hosts with a false clock read how wrong it is. */
  readonly clockFile: string;
  /** The hosts whose processes, from their next start on, have a false clock. */
  readonly falseClocks: Set<string>;
}

/** A fault that is ready to begin. */
export interface Fault {
  readonly what: string;
  /** The kinds of problems that `status` must name; what else it says is only printed. */
  readonly problems: readonly string[];
  /** The alerts that must fire, without the prefix. */
  readonly alerts: readonly string[];
  /** Whether requests may fail. */
  readonly isFatal?: boolean;
  begin(): unknown;
  mend(): unknown;
}

/** Makes the fault ready. */
type Plan = (scene: Scene) => Fault | Promise<Fault>;

const run = promisify(execFile);
const reference = "ana";
const patienceMs = 120_000;
const down = ["MemberMissing", "ProcessDown"];

/** What `status` says if nothing comes from a host. */
function problemsWithout(host: string): string[] {
  const others = host === reference ? ["noReference"] : ["brokersMissing", "proxiesMissing"];
  return ["memberDown", ...others];
}

async function coordinatorsHost({ hosts }: Scene): Promise<string> {
  let found: string | undefined;
  const isKnown = async () => {
    const { coordinator, processes } = await hosts.status();
    const { address } = processes.find(({ name }) => name === coordinator) ?? {};
    found = hosts.names.find((name) => address?.includes(hosts.address(name)));
    return found !== undefined;
  };
  await until(isKnown, "there is a coordinator", patienceMs);
  return found ?? "";
}

/** A host that is neither the coordinator's nor the reference's. */
async function ordinaryHost(scene: Scene): Promise<string> {
  const coordinator = await coordinatorsHost(scene);
  return scene.hosts.names.findLast((name) => name !== coordinator && name !== reference) ?? "";
}

/** Hosts without power send nothing, not even the end of a connection. */
function powerOff({ hosts, network }: Scene, names: readonly string[]) {
  return {
    async begin() {
      network.set(Object.fromEntries(names.map((name) => [name, pulled])));
      for (const name of names) await hosts.end(name, "SIGKILL");
    },
    mend() {
      network.set({});
      for (const name of names) hosts.startAll(name);
    },
  };
}

function oneOff(scene: Scene, host: string, role: string): Fault {
  const what = `power-off of ${host}, ${role}`;
  return { what, problems: problemsWithout(host), alerts: down, ...powerOff(scene, [host]) };
}

function badCable({ network }: Scene, host: string, [what, cable]: [string, Cable]): Fault {
  return {
    what: `${what} ${host}`,
    problems: problemsWithout(host),
    alerts: down,
    begin: () => network.set({ [host]: cable }),
    mend: () => network.set({}),
  };
}

/** A host whose data is on a small disk, which gets full. */
async function fullDisk({ hosts }: Scene): Promise<Fault> {
  const host = "caio";
  const data = hosts.data(host);
  await hosts.end(host, "SIGTERM");
  const commands = [
    `mv ${data} ${data}.big && mkdir ${data}`,
    `mount -t tmpfs -o size=256m,mode=700 tmpfs ${data}`,
    `cp -a ${data}.big/. ${data}`,
  ];
  execFileSync("/bin/sh", ["-c", commands.join(" && ")]);
  hosts.startAll(host);
  return {
    what: `full disk of ${host}`,
    problems: ["memberDown"],
    alerts: ["MemberMissing"],
    // The command fails when the disk is full.
    begin: () => run("dd", ["if=/dev/zero", `of=${data}/ballast`, "bs=64k"]).catch(() => {}),
    mend: () => rmSync(join(data, "ballast")),
  };
}

async function emptyDisk({ hosts }: Scene): Promise<Fault> {
  const host = "caio";
  const former = await hosts.serverOf(host);
  const change = (command: string) => command.replace(/server_\w+/, former);
  return {
    what: `${host} is replaced, with an empty disk`,
    problems: ["memberDown"],
    alerts: [],
    async begin() {
      await hosts.end(host, "SIGKILL");
      rmSync(join(hosts.data(host), "servers"), { recursive: true });
      hosts.startAll(host);
    },
    async mend() {
      const isRemoved = async () => (await hosts.run("servers remove", { change })).code === 0;
      await until(isRemoved, "the former server is removed", patienceMs);
    },
  };
}

async function falseClock({ hosts, falseClocks, clockFile }: Scene): Promise<Fault> {
  const host = "caio";
  await hosts.end(host, "SIGTERM");
  falseClocks.add(host);
  writeFileSync(clockFile, "+0s");
  hosts.startAll(host);
  return {
    what: `the clock of ${host} 5 s ahead`,
    problems: ["clockOff"],
    alerts: ["ClockOff"],
    begin: () => writeFileSync(clockFile, "+5s"),
    mend: () => writeFileSync(clockFile, "+0s"),
  };
}

/** The faults, in the order in which they come. The last one stops the chat, and leaves alerts. */
export const plans: Readonly<Record<string, Plan>> = {
  "power-off": async (scene) => oneOff(scene, await ordinaryHost(scene), "an ordinary host"),
  reference: (scene) => oneOff(scene, reference, "which runs the reference"),
  coordinator: async (scene) => oneOff(scene, await coordinatorsHost(scene), "the coordinator's"),
  cable: async (scene) => badCable(scene, await ordinaryHost(scene), ["no cable to", pulled]),
  deaf: async (scene) => badCable(scene, await coordinatorsHost(scene), ["nothing reaches", deaf]),
  mute: async (scene) => badCable(scene, await coordinatorsHost(scene), ["nothing from", mute]),
  slow: async (scene) => {
    const cable: Cable = { out: [300, 0.05], in: [300, 0.05] };
    const what = "300 ms and 5 % loss, both ways, at";
    const fault = badCable(scene, await coordinatorsHost(scene), [what, cable]);
    return { ...fault, problems: [], alerts: [] };
  },
  "full-disk": fullDisk,
  "empty-disk": emptyDisk,
  clock: falseClock,
  "two-off": (scene) => ({
    what: "power-off of bia and caio",
    problems: ["noQuorum", "memberDown"],
    alerts: ["NotServing"],
    isFatal: true,
    ...powerOff(scene, ["bia", "caio"]),
  }),
};
