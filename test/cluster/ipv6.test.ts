import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { canHaveHosts, withHosts } from "../support/own-hosts.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";
import { cliFile } from "../terminal/cli-process.ts";

let folder: TemporaryFolder;
const running: ChildProcess[] = [];

beforeEach(async () => {
  folder = await temporaryFolder();
});

afterEach(async () => {
  await Promise.all(
    running.splice(0).map(async (child) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGTERM");
      await once(child, "exit");
    }),
  );
  await folder[Symbol.asyncDispose]();
}, 30_000);

/** Starts a command; `hosts` replaces the content of `/etc/hosts` for this process. */
function spawnCli(args: readonly string[], hosts?: string): ChildProcess {
  const { PATH = "" } = process.env;
  const env = { PATH, XDG_STATE_HOME: folder.path, LANG: "C.UTF-8", TERTULIA_DATA: folder.path };
  const own = [process.execPath, cliFile, ...args] as const;
  const file = join(folder.path, "hosts");
  if (hosts !== undefined) writeFileSync(file, hosts);
  const [program, ...rest] = hosts === undefined ? own : withHosts(file, own);
  const child = spawn(program, rest, { env });
  running.push(child);
  return child;
}

/**
 * Starts a role. `ready` returns the `Ready` entry of the role's log, or the output if the role has
 * ended.
 */
async function startRole(args: readonly string[], hosts?: string) {
  const child = spawnCli(args, hosts);
  const entries: Record<string, unknown>[] = [];
  let said = "";
  createInterface({ input: child.stderr as NodeJS.ReadableStream }).on("line", (line) => {
    said += line;
    if (line.startsWith("{")) entries.push(JSON.parse(line) as Record<string, unknown>);
  });
  const find = () => entries.find(({ msg }) => msg === "Ready");
  return {
    child,
    said: () => said,
    ready: async () => {
      await until(() => find() !== undefined || child.exitCode !== null, `${args[0]} is ready`);
      return (find() ?? { said }) as Record<string, string>;
    },
  };
}

async function run(args: readonly string[], hosts?: string) {
  const child = spawnCli(args, hosts);
  const said = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream]?.on("data", (chunk) => {
      said[stream] += String(chunk);
    });
  }
  const [code] = (await once(child, "close")) as [number];
  return { code, ...said };
}

/** Starts the processes of a cluster, bound to ::1, which connect to each other at `host`. */
async function startCluster(host: string, flags: readonly string[], hosts?: string) {
  const at = (bound = "") => bound.replace("[::1]", host);
  const role = async (name: string, ...more: string[]) =>
    await (await startRole([name, ...flags, ...more], hosts)).ready();
  const anyPort = "tcp://[::1]:*";
  const reference = at((await role("reference", "--bind", anyPort)).endpoint);
  const ends = ["--front", anyPort, "--back", anyPort, "--reference", reference];
  const [broker, proxy] = await Promise.all([role("broker", ...ends), role("proxy", ...ends)]);
  const links = ["--broker-back", at(broker.back), "--proxy-in", at(proxy.front)];
  const more = ["--proxy", at(proxy.back), "--reference", reference, "--bind", anyPort];
  await Promise.all([1, 2, 3].map(() => startRole(["server", ...flags, ...links, ...more], hosts)));
  return ["--broker", at(broker.front), "--proxy", at(proxy.back), "--reference", reference];
}

async function talk(host: string, flags: readonly string[], hosts?: string): Promise<void> {
  const ends = await startCluster(host, flags, hosts);
  if (flags.includes("--curve"))
    ends.push("--server-key-file", join(folder.path, "public/server.key"));
  const command = (...args: string[]) => run([...args, ...ends], hosts);
  let last: { code: number; stdout: string; stderr: string } | undefined;
  const isHealthy = async () => {
    last = await command("status", "--json");
    return last.code === 0 && last.stdout.split('"role":"server"').length === 4;
  };
  await until(isHealthy, `the cluster is whole at ${host}`, 30_000).catch(() => {
    throw new Error(JSON.stringify(last));
  });
  expect(last?.stdout).toContain('"address":"tcp://[::1]:');
  expect(await command("create", "geral", "--user", "ana")).toMatchObject({ code: 0 });
  const listener = spawnCli(["listen", "#geral", ...ends], hosts);
  let heard = "";
  listener.stderr?.on("data", (chunk) => {
    heard += String(chunk);
  });
  listener.stdout?.on("data", (chunk) => {
    heard += String(chunk);
  });
  await until(() => heard.includes("geral"), "somebody listens");
  expect(await command("send", "#geral", "bom dia", "--user", "ana")).toMatchObject({ code: 0 });
  await until(() => heard.includes("bom dia"), "the message is heard");
}

describe("a cluster of separately started processes on IPv6", { timeout: 90_000 }, () => {
  test("a cluster bound to [::1] serves commands that use this address", () => talk("[::1]", []));

  test("an encrypted cluster bound to [::1] serves commands that use this address", () =>
    talk("[::1]", ["--curve"]));

  test.skipIf(!canHaveHosts)(
    "a cluster on IPv6 serves commands that use a host name with only IPv6 addresses",
    () => talk("six.example", [], "127.0.0.1 localhost\n::1 six.example\n"),
  );
});

test.skipIf(!canHaveHosts)(
  "a process bound to a host name with IPv4 and IPv6 addresses uses the IPv4 address",
  { timeout: 60_000 },
  async () => {
    const hosts = "::1 both.example\n127.0.0.1 both.example\n";
    const bind = ["--bind", "tcp://both.example:*", "--insecure"];
    const role = await startRole(["reference", ...bind], hosts);
    const { endpoint = "" } = await role.ready();
    expect(endpoint, role.said()).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+$/);
    const named = endpoint.replace("127.0.0.1", "both.example");
    expect(await run(["health", "reference", "--bind", named], hosts)).toEqual({
      code: 0,
      stdout: "",
      stderr: "",
    });
  },
);

test("a process bound to [::] is reached by IPv4 and by IPv6", async () => {
  const role = await startRole(["reference", "--bind", "tcp://[::]:*", "--insecure"]);
  const { endpoint = "" } = await role.ready();
  for (const host of ["[::]", "[::1]", "127.0.0.1", "localhost"]) {
    const bind = endpoint.replace("[::]", host);
    expect(await run(["health", "reference", "--bind", bind]), host).toMatchObject({ code: 0 });
  }
  // With IPv4 and IPv6 addresses in one list, zeromq prints no warning.
  const port = endpoint.replace("tcp://[::]", "");
  const list = ["[::1]", "127.0.0.1", "localhost"].map((host) => `tcp://${host}${port}`).join(",");
  const { stderr } = await run([
    "status",
    "--reference",
    list,
    "--broker",
    "tcp://[::1]:1",
    "--timeout",
    "1",
  ]);
  expect(stderr).not.toMatch(/warning/i);
});
