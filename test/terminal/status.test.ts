import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Membership } from "../../src/net/membership.ts";
import { reportPresence } from "../../src/net/reference-link.ts";
import { openLog } from "../../src/platform/log.ts";
import { readSecret } from "../../src/platform/secret.ts";
import { ownVersion } from "../../src/platform/version.ts";
import { LamportClock } from "../../src/protocol/lamport-clock.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { until } from "../support/until.ts";
import { CliProcess, clusterVariables, type Ended } from "./cli-process.ts";

let cluster: LocalCluster;

beforeAll(async () => {
  cluster = await LocalCluster.start({ proxies: 2 });
}, 60_000);

afterAll(() => cluster?.[Symbol.asyncDispose](), 30_000);

async function status(...flags: string[]): Promise<Ended> {
  using command = new CliProcess(["status", ...flags], clusterVariables(cluster.endpoints));
  return await command.end();
}

/** Repeats `status` until its output contains `text`, and returns the last result. */
async function statusWith(text: string, ...flags: string[]): Promise<Ended> {
  let last: Ended | undefined;
  await until(async () => {
    last = await status(...flags);
    return last.stdout.includes(text);
  }, `the status says: ${text}`);
  return last as Ended;
}

interface Told {
  readonly healthy: boolean;
  readonly problems: readonly object[];
  readonly warnings: readonly object[];
  readonly processes: readonly {
    readonly role: string;
    readonly name: string;
    readonly version: string | null;
    readonly disk: { readonly freeBytes: number; readonly totalBytes: number } | null;
  }[];
}

async function told(): Promise<Told> {
  return JSON.parse((await status("--json")).stdout) as Told;
}

/** Reports a broker with the cluster's secret, as a process of another version does. */
function olderBroker(name: string): Disposable {
  const clock = new LamportClock();
  const log = openLog({ level: "silent", role: "test", name: () => name, clock: () => 0 });
  const path = join(cluster.folder, "secret");
  const secret = readSecret({ text: undefined, path, isDefault: true, cluster: "tertulia" });
  const membership = new Membership({ secret, self: () => name, clock, log });
  const link = membership.referenceLink(cluster.endpoints.reference.split(","));
  const presence = reportPresence(link, { name, role: "broker", version: "0.0.9" });
  return {
    [Symbol.dispose]: () => {
      presence[Symbol.dispose]();
      link.close();
    },
  };
}

test("`status --json` has the version of each process and the free space of each server's disk", async () => {
  let last: Told | undefined;
  await until(async () => {
    last = await told();
    return last.healthy && last.warnings.length === 0;
  }, "the cluster has elected a coordinator, and all processes have reported");
  const { problems, warnings, processes } = last as Told;
  expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
  expect(new Set(processes.map(({ version }) => version))).toEqual(new Set([ownVersion()]));
  for (const { role, disk } of processes) {
    // A server with an engine keeps nothing on its disk.
    if (role !== "server" || LocalCluster.hasEngine) expect(disk).toBeNull();
    else expect(disk?.freeBytes).toBeLessThanOrEqual(disk?.totalBytes ?? 0);
  }
});

test("`status` warns of a process of an older version, and still ends with code 0", async () => {
  const name = "broker_of_before";
  using _broker = olderBroker(name);
  const { code, stdout, stderr } = await statusWith(`Warning: ${name} runs version 0.0.9, and`);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/^Warning: .*\nhealthy · /);
  const { healthy, warnings } = await told();
  const warning = { kind: "olderVersion", name, version: "0.0.9", newest: ownVersion() };
  expect({ healthy, warnings }).toEqual({ healthy: true, warnings: [warning] });
});

test("`status` says which of the configured proxies are missing, and ends with code 1", async () => {
  await cluster.of("proxy")[1]?.stop(0);
  const { code, stdout, stderr } = await statusWith("Running proxies: 1 of the 2");
  expect(code).toBe(1);
  expect(stdout).toMatch(
    /^Problem: Running proxies: 1 of the 2 in your settings\. Start .*\n(?:Warning: .*\n)*unheal/,
  );
  expect(stderr).toBe("tertulia: The cluster has a problem.\n");
});

test("`status` says first which member is down and what to do, in both languages, and ends with code 1", async (context) => {
  context.skip(LocalCluster.hasEngine, "with an engine, nobody waits for a server that is gone");
  const server = cluster.server(3);
  const { name = "", endpoints } = server.ready ?? {};
  await server.stop(0);
  const place = endpoints?.peer ?? "";
  const { code, stdout } = await statusWith(`The server ${name} of the cluster does not answer.`);
  expect(code).toBe(1);
  expect(stdout).toContain(
    `Start it again on its machine (${place}), or remove it for good: tertulia servers remove ${name}.\n`,
  );
  expect(stdout.indexOf("Problem: ")).toBe(0);
  expect(stdout.lastIndexOf("Problem: ")).toBeLessThan(stdout.indexOf("unhealthy · "));
  const down = { kind: "memberDown", name, address: place };
  await until(async () => (await told()).problems.length === 2, "the proxy and the member");
  expect((await told()).problems).toEqual([{ kind: "proxiesMissing", up: 1, of: 2 }, down]);
  const portuguese = await statusWith(
    `O servidor ${name} do cluster não responde.`,
    "--lang",
    "pt",
  );
  expect(portuguese.stderr).toBe("tertulia: O cluster está com 2 problemas.\n");
  expect(portuguese.code).toBe(1);
});
