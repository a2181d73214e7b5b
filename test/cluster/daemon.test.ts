import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
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

/** Starts it as `nohup … &` does, and waits until it says `ready`. */
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

describe("what nohup has started", { timeout: 60_000 }, () => {
  test("goes on when its terminal closes: a single role", async () => {
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

  test("goes on when its terminal closes: a whole cluster", async () => {
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

describe("a data folder that can't be used", { timeout: 30_000 }, () => {
  test.each([
    ["up", "--port", "0"],
    ["server"],
    ["reference", "--bind", "tcp://127.0.0.1:*"],
    ["broker", "--front", "tcp://127.0.0.1:*", "--back", "tcp://127.0.0.1:*"],
    ["bot"],
  ])("ends '%s' with one sentence that names it", async (...args) => {
    const file = join(folder.path, "file");
    writeFileSync(file, "");
    using command = new CliProcess([...args, "--data", join(file, "data")]);
    const { code, stdout, stderr } = await command.end();
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(stderr).toContain(`The data folder ${file}/data`);
    expect(stderr).toContain("is no folder, or lies below a file (ENOTDIR)");
  });
});
