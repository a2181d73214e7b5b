import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { constants } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";
import { CliProcess, cliFile } from "../terminal/cli-process.ts";

let folder: TemporaryFolder;
const running: ChildProcess[] = [];

beforeEach(async () => {
  folder = await temporaryFolder();
});

afterEach(async () => {
  for (const child of running.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill("SIGTERM");
    await once(child, "exit");
  }
  await folder[Symbol.asyncDispose]();
}, 30_000);

interface Ready {
  readonly broker: string;
  readonly processes: readonly { readonly pid: number }[];
}

/** Starts a command with `nohup`, and waits until its output contains `ready`. */
async function startBehind(args: readonly string[], ready: string) {
  const child = spawn("nohup", [process.execPath, cliFile, ...args, "--data", folder.path], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.push(child);
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      said += String(chunk);
    });
  }
  await until(() => said.includes(ready) || child.exitCode !== null, ready, 30_000);
  return { child, said: () => said };
}

describe("a process started by nohup", { timeout: 60_000 }, () => {
  test("a single role started by nohup runs on after its terminal has closed", async () => {
    const args = ["reference", "--bind", "tcp://127.0.0.1:*"];
    const { child, said } = await startBehind(args, '"Ready"');
    const endpoint = /"endpoint":"([^"]+)"/.exec(said())?.[1] ?? "";
    child.kill("SIGHUP");
    using health = new CliProcess(["health", "reference", "--bind", endpoint]);
    expect(await health.end()).toMatchObject({ code: 0 });
    expect(child.exitCode).toBeNull();
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([0, null]);
  });

  test("a whole cluster started by nohup serves clients after its terminal has closed", async () => {
    const args = ["up", "--servers", "1", "--port", "0", "--json"];
    const { child, said } = await startBehind(args, '"processes"');
    const { broker } = JSON.parse(
      said()
        .split("\n")
        .find((line) => line.includes('"processes"')) ?? "{}",
    ) as { broker: string };
    child.kill("SIGHUP");
    using users = new CliProcess(["create", "geral", "--user", "ana", "--broker", broker]);
    expect(await users.end()).toMatchObject({ code: 0 });
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([0, null]);
  });
});

describe("processes whose log can't be written", { timeout: 60_000 }, () => {
  /** A script that makes Node write warnings to stderr as soon as the file `begin` exists. */
  const warnings = (begin: string, written: string) => `
    const { existsSync, writeFileSync } = require("node:fs");
    let count = 0;
    setInterval(() => {
      if (!existsSync(${JSON.stringify(begin)})) return;
      process.emitWarning("a warning of Node's");
      if (++count === 5) writeFileSync(${JSON.stringify(written)} + process.pid, "");
    }, 10).unref();
  `;

  test.runIf(existsSync("/dev/full"))(
    "no process of a cluster ends if the cluster's stderr can't be written",
    async () => {
      const begin = join(folder.path, "begin");
      const written = join(folder.path, "written-");
      const preload = join(folder.path, "warnings.cjs");
      writeFileSync(preload, warnings(begin, written));
      const full = openSync("/dev/full", "w");
      const args = ["up", "--servers", "1", "--port", "0", "--json", "--data", folder.path];
      const child = spawn(process.execPath, [cliFile, ...args], {
        stdio: ["ignore", "pipe", full],
        env: { ...process.env, NODE_OPTIONS: `--require ${preload}` },
      });
      running.push(child);
      closeSync(full);
      let said = "";
      child.stdout?.on("data", (chunk) => {
        said += String(chunk);
      });
      await until(
        () => said.endsWith("\n") || child.exitCode !== null,
        "the cluster is ready",
        30_000,
      );
      const { broker, processes } = JSON.parse(said) as Ready;
      writeFileSync(begin, "");
      for (const pid of [child.pid, ...processes.map(({ pid }) => pid)]) {
        await until(() => existsSync(written + pid), "each process has warned");
      }
      using create = new CliProcess(["create", "geral", "--user", "ana", "--broker", broker]);
      expect(await create.end()).toMatchObject({ code: 0 });
      // No process was restarted.
      for (const { pid } of processes) expect(() => process.kill(pid, 0)).not.toThrow();
    },
  );
});

describe("a process that is still starting", { timeout: 30_000 }, () => {
  test.each([
    ["server"],
    ["reference", "--bind", "tcp://127.0.0.1:*"],
    ["broker", "--front", "tcp://127.0.0.1:*", "--back", "tcp://127.0.0.1:*"],
    ["up", "--port", "0"],
  ])("SIGTERM ends the command '%s' while the command waits for its secret", async (...args) => {
    const pipe = join(folder.path, "pipe");
    execFileSync("mkfifo", [pipe]);
    const secret = ["--secret-file", pipe, "--data", folder.path];
    using command = new CliProcess([...args, ...secret]);
    const ended = once(command.child, "exit");
    // `open` returns when the command has opened the pipe for reading.
    await using _writer = await open(pipe, "w");
    command.child.kill("SIGTERM");
    expect(await ended).toEqual([null, "SIGTERM"]);
  });
});

/** Python: closes the terminal of a program after its `Ready`, and prints its exit code. */
const closingTerminal = `
import os, pty, signal, subprocess, sys
ours, its = pty.openpty()
program = subprocess.Popen(sys.argv[1:], stdin=its, stdout=its, stderr=its)
os.close(its)
said = b""
while b"Ready" not in said:
    said += os.read(ours, 1000)
os.close(ours)
program.send_signal(signal.SIGHUP)
print(program.wait())
`;
const hasPython = spawnSync("python3", ["-c", "import pty"]).status === 0;

test.runIf(hasPython)("a role whose terminal closes saves its state before it ends", async () => {
  const role = ["reference", "--bind", "tcp://127.0.0.1:*", "--data", folder.path];
  const python = spawn("python3", ["-c", closingTerminal, process.execPath, cliFile, ...role]);
  running.push(python);
  let said = "";
  python.stdout.on("data", (chunk) => {
    said += String(chunk);
  });
  await once(python, "close");
  expect(said.trim()).toBe(`-${constants.signals.SIGHUP}`);
  // In a cluster without members, the reference saves this file only at a clean stop.
  expect(existsSync(join(folder.path, "reference", "reference.json"))).toBe(true);
});

/** Whether a test can mount its own disk: on Linux, as root or with user namespaces. */
const canMount = spawnSync("unshare", ["-rm", "mount", "-t", "tmpfs", "none", "/mnt"]).status === 0;

describe.runIf(canMount)("processes on a read-only or full disk", { timeout: 30_000 }, () => {
  const roles = [
    ["up", "--port", "0"],
    ["server"],
    ["reference", "--bind", "tcp://127.0.0.1:*"],
    ["broker", "--front", "tcp://127.0.0.1:*", "--back", "tcp://127.0.0.1:*"],
    ["bot"],
  ];

  /**
   * Runs a command on a disk that `mounting` mounts. A read-only folder would not do, because root
   * may write to it.
   */
  function startOn(mounting: string, args: readonly string[]) {
    const data = join(folder.path, "disk");
    mkdirSync(data);
    const command = [process.execPath, cliFile, ...args, "--data", join(data, "data")];
    const script = `cd "$0" && ${mounting} && exec "$@"`;
    const { status, stderr } = spawnSync("unshare", ["-rm", "sh", "-c", script, data, ...command], {
      encoding: "utf8",
      timeout: 20_000,
    });
    return { status, lines: stderr.trimEnd().split("\n"), data };
  }

  test.each(roles)(
    "'%s' ends with code 1 and one sentence if its data folder is on a read-only disk",
    (...args) => {
      const readOnly = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0"';
      const { status, lines, data } = startOn(readOnly, args);
      expect({ status, count: lines.length }, lines.join("\n")).toEqual({ status: 1, count: 1 });
      expect(lines[0]).toContain(`The data folder ${data}/data`);
      expect(lines[0]).toContain("is on a disk that can only be read (EROFS)");
    },
  );

  test.each(roles)(
    "'%s' ends with code 1 and one sentence if its data folder is on a full disk",
    (...args) => {
      const full =
        'mount -t tmpfs -o size=8k none "$0" && { head -c 9000 /dev/zero >"$0/fill" 2>&-; true; }';
      const { status, lines, data } = startOn(full, args);
      expect({ status, count: lines.length }, lines.join("\n")).toEqual({ status: 1, count: 1 });
      expect(lines[0]).toContain(`The data folder ${data}/data`);
      expect(lines[0]).toContain("has no space left (ENOSPC)");
    },
  );
});

describe("a data folder that can't be used", { timeout: 30_000 }, () => {
  test.each([
    ["up", "--port", "0"],
    ["server"],
    ["reference", "--bind", "tcp://127.0.0.1:*"],
    ["broker", "--front", "tcp://127.0.0.1:*", "--back", "tcp://127.0.0.1:*"],
    ["bot"],
  ])(
    "'%s' ends with code 1 and one sentence that names the data folder if the folder can't be used",
    async (...args) => {
      const file = join(folder.path, "file");
      writeFileSync(file, "");
      using command = new CliProcess([...args, "--data", join(file, "data")]);
      const { code, stdout, stderr } = await command.end();
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
      expect(stderr.trimEnd().split("\n")).toHaveLength(1);
      expect(stderr).toContain(`The data folder ${file}/data`);
      expect(stderr).toContain("is no folder, or lies below a file (ENOTDIR)");
    },
  );
});
