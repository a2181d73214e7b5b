import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Connection } from "../../src/client/connection.ts";
import { parseChannelName, parseUserName } from "../../src/protocol/ids.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";

const cli = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));

interface Ready {
  broker: string;
  proxy: string;
  reference: string;
  http: string;
  metrics?: string;
  processes: { role: string; name: string; pid: number }[];
}

const running: ChildProcess[] = [];
const folders: TemporaryFolder[] = [];

async function folder(): Promise<string> {
  const made = await temporaryFolder();
  folders.push(made);
  return made.path;
}

afterEach(async () => {
  vi.unstubAllEnvs();
  for (const child of running.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill("SIGTERM");
    await once(child, "exit");
  }
  for (const made of folders.splice(0)) await made[Symbol.asyncDispose]();
});

function spawnUp(data: string, ...flags: string[]) {
  const args = [cli, "up", "--data", data, "--log-level", "warn", "--json", ...flags];
  // The command has its own process group, as from a shell, and an IPC channel, as from a
  // supervisor.
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    detached: true,
  });
  running.push(child);
  let errors = "";
  child.stderr?.on("data", (text) => {
    errors += text;
  });
  return { child, errors: () => errors };
}

async function startUp(
  data: string,
  ...flags: string[]
): Promise<{ child: ChildProcess; ready: Ready; errors: () => string }> {
  const { child, errors } = spawnUp(data, "--port", "0", ...flags);
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const ended = once(child, "exit").then(() => Promise.reject(new Error(errors())));
  const [line] = await Promise.race([once(lines, "line"), ended]);
  ended.catch(() => {});
  return { child, ready: JSON.parse(String(line)) as Ready, errors };
}

async function endOf(
  up: ReturnType<typeof spawnUp>,
): Promise<{ code: number | null; errors: string }> {
  const [code] = await once(up.child, "exit");
  return { code, errors: up.errors() };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** The ids of the running child processes of a process. */
function childrenOf({ pid }: ChildProcess): number[] {
  const { stdout } = spawnSync("pgrep", ["-P", String(pid)], { encoding: "utf8" });
  return (stdout.match(/\d+/g) ?? []).map(Number);
}

function connectionTo({ broker, proxy }: Ready): Connection {
  return new Connection({ brokers: broker.split(","), proxies: proxy.split(",") });
}

describe("tertulia up", () => {
  test("`up` prints its processes in one line, and SIGTERM ends `up` with code 0 and all its processes", async () => {
    const { child, ready } = await startUp(await folder(), "--bots", "1");
    expect(ready.processes.map(({ role }) => role).sort()).toEqual([
      "bot",
      "broker",
      "gateway",
      "proxy",
      "reference",
      "server",
      "server",
      "server",
    ]);
    expect((await fetch(`${ready.http}/livez`)).status).toBe(200);
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([0, null]);
    expect(ready.processes.filter(({ pid }) => isAlive(pid))).toEqual([]);
  });

  test("[O50] the ready line of `up` names the port of the metrics if the setting has no port", async () => {
    const flags = ["--servers", "1", "--metrics", "tcp://127.0.0.1:*"];
    const { ready } = await startUp(await folder(), ...flags);
    const url = ready.metrics?.replace("tcp:", "http:");
    expect((await fetch(`${url}/livez`)).status).toBe(200);
  });

  test("[J4] `up` started again uses the same data folders and has all acknowledged messages", async () => {
    const data = await folder();
    const first = await startUp(data);
    {
      using connection = connectionTo(first.ready);
      const client = connection.session();
      await client.login(parseUserName("ana"));
      await client.createChannel(parseChannelName("geral"));
      await client.publish(parseChannelName("geral"), "before");
    }
    first.child.kill("SIGTERM");
    await once(first.child, "exit");
    const second = await startUp(data);
    const names = ({ processes }: Ready) => processes.map(({ name }) => name).sort();
    expect(names(second.ready)).toEqual(names(first.ready));
    using connection = connectionTo(second.ready);
    const client = connection.session();
    const { entries } = await client.history({ channel: "geral" as never });
    expect(entries.map(({ message }) => message)).toEqual(["before"]);
    expect(await readdir(join(data, "servers"))).toHaveLength(3);
  });

  test("a second Ctrl-C, which every process of `up` receives, does not interrupt a clean stop", async () => {
    const { child, ready, errors } = await startUp(await folder(), "--servers", "1");
    const group = -Number(child.pid);
    process.kill(group, "SIGINT");
    process.kill(group, "SIGINT");
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([0, null]);
    expect(ready.processes.filter(({ pid }) => isAlive(pid))).toEqual([]);
    expect(errors()).toBe("");
  });

  test("[R11] a SIGTERM to all processes of a cluster ends each of them, and none is restarted", async () => {
    const { child, ready, errors } = await startUp(await folder(), "--bots", "1");
    process.kill(-Number(child.pid), "SIGTERM");
    expect(await once(child, "exit")).toEqual([0, null]);
    expect(ready.processes.filter(({ pid }) => isAlive(pid))).toEqual([]);
    expect(errors()).toBe("");
  });

  test("a process that is killed while its cluster stops is not restarted", async () => {
    await using cluster = await LocalCluster.start({ servers: 1, bots: 1 });
    const [bot] = cluster.of("bot");
    const [broker] = cluster.of("broker");
    // The hanging bot makes the stop take a while.
    bot?.signal("SIGSTOP");
    const stopped = cluster.stop();
    broker?.signal("SIGKILL");
    await stopped;
    expect(broker?.starts).toBe(1);
    const log = await readFile(join(cluster.folder, "logs", "up.log"), "utf8");
    expect(log).toContain("The bot 1 did not stop in time: killed");
    expect(log).not.toContain("started again");
  });

  test("SIGINT ends `up` even if a supervisor has an IPC channel to it", async () => {
    const { child, ready } = await startUp(await folder(), "--servers", "1");
    expect(child.connected).toBe(true);
    child.kill("SIGINT");
    expect(await once(child, "exit")).toEqual([0, null]);
    expect(ready.processes.filter(({ pid }) => isAlive(pid))).toEqual([]);
  });

  test("SIGINT and SIGHUP end no process of a cluster, and `up` restarts a process that SIGTERM has ended", async () => {
    const { ready, errors } = await startUp(await folder(), "--servers", "1");
    for (const { pid } of ready.processes) {
      for (const signal of ["SIGINT", "SIGHUP"] as const) process.kill(pid, signal);
    }
    using connection = connectionTo(ready);
    const client = connection.session();
    await client.login(parseUserName("ana"));
    expect(ready.processes.every(({ pid }) => isAlive(pid))).toBe(true);
    expect(errors()).toBe("");
    const [broker] = ready.processes.filter(({ role }) => role === "broker");
    process.kill(Number(broker?.pid), "SIGTERM");
    await until(() => errors().includes("The broker 1 ended (exit code 0): started again"), "it");
  });

  test("a start that fails is reported on stderr even if the processes write their logs to files", async () => {
    const data = await folder();
    await startUp(data, "--servers", "1");
    await expect(LocalCluster.start({ data, servers: 1 })).rejects.toThrow(
      /did not start: The data folder .* is in use by another process/,
    );
  });

  test("when `up` is killed with SIGKILL, all its processes end", async () => {
    const { child, ready } = await startUp(await folder(), "--servers", "1");
    child.kill("SIGKILL");
    await until(() => ready.processes.every(({ pid }) => !isAlive(pid)), "all are gone");
  });

  test.each([1, 2, 3, 4, 5, 6])(
    "if `up` is killed after it started %i child processes, all of these end",
    async (count) => {
      const up = spawnUp(await folder(), "--port", "0", "--servers", "2", "--bots", "1");
      const { child, errors } = up;
      await until(() => childrenOf(child).length >= count, "so many processes are there");
      // A stopped `up` starts no further process.
      child.kill("SIGSTOP");
      const pids = childrenOf(child);
      child.kill("SIGKILL");
      await until(() => !pids.some(isAlive), "all are gone");
      expect(errors()).not.toMatch(/^\s+at /m);
    },
  );

  test("`up` ends with code 1 and a sentence if one of its ports is in use", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const up = spawnUp(await folder(), "--port", String(port));
    const { code, errors } = await endOf(up);
    other.close();
    expect(code).toBe(1);
    // `up` needs five ports from `port` on. Another program may use one of the other four.
    const [, taken] = /tcp:\/\/127\.0\.0\.1:(\d+) is taken: stop what uses it/.exec(errors) ?? [];
    expect(Number(taken) - port).toBeGreaterThanOrEqual(0);
    expect(Number(taken) - port).toBeLessThan(5);
    expect(errors).not.toMatch(/^\s+at /m);
  });

  test("`up` ends with code 1 and a sentence if its data folder is in use", async () => {
    const data = await folder();
    await startUp(data, "--servers", "1");
    const { code, errors } = await endOf(spawnUp(data, "--port", "0"));
    expect(code).toBe(1);
    expect(errors).toMatch(/data folder .* is in use by another process/);
    expect(errors).not.toMatch(/^\s+at /m);
  });

  test("[J2] `up` ends with code 1 and a sentence that names a damaged file and says what to do", async () => {
    const data = await folder();
    const slot = join(data, "servers", "1");
    const path = join(slot, "users.json");
    // This small limit makes the server save its state now. At its stop, the server might not save
    // it.
    vi.stubEnv("TERTULIA_CHECKPOINT_BYTES", "4096");
    const { child, ready } = await startUp(data, "--servers", "1");
    {
      using connection = connectionTo(ready);
      const client = connection.session();
      const isSaved = async () => {
        for (const name of ["ana", "bia"]) await client.login(parseUserName(name));
        return existsSync(path) && (await readFile(path, "utf8")).includes('"ana"');
      };
      await until(isSaved, "the state is saved");
    }
    child.kill("SIGTERM");
    await once(child, "exit");
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replace('"ana"', '"eva"'));
    // From this journal file, the server could rebuild the damaged state.
    await rm(join(slot, "journal", "00000001.jsonl"));
    const { code, errors } = await endOf(spawnUp(data, "--port", "0", "--servers", "1"));
    expect(code).toBe(1);
    expect(errors).toMatch(
      /users\.json:2 is damaged .*there is no other member: restore .* or move it away/,
    );
    expect(errors).not.toMatch(/^\s+at /m);
  });

  test("[X3] a role with a public address ends with exit code 2 and names the option that allows such an address", async () => {
    const args = [cli, "broker", "--front", "tcp://0.0.0.0:0", "--data", await folder()];
    const failure = await promisify(execFile)(process.execPath, args).catch((error) => error);
    expect(failure.code).toBe(2);
    expect(failure.stderr).toContain("--insecure");
  });
});
