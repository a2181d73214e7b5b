import { spawnSync } from "node:child_process";
import { closeSync, cpSync, existsSync, openSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { cliFile, clusterVariables } from "./cli-process.ts";

let cluster: LocalCluster;

beforeAll(async () => {
  cluster = await LocalCluster.start();
  const client = cluster.client();
  await client.login("ana");
  await client.createChannel("geral");
  await client.publish("ana", "geral", "oi");
}, 60_000);

afterAll(() => cluster?.[Symbol.asyncDispose](), 30_000);

interface Outputs {
  readonly stdout?: number | "pipe";
  readonly stderr?: number | "pipe";
}

function run(args: readonly string[], env: Record<string, string>, outputs: Outputs = {}) {
  const endpoints = {
    ...clusterVariables(cluster.endpoints),
    TERTULIA_DATA: cluster.folder,
  };
  const { PATH = "" } = process.env;
  const { stdout = "pipe", stderr = "pipe" } = outputs;
  return spawnSync(process.execPath, [cliFile, ...args], {
    env: { PATH, LANG: "C.UTF-8", ...endpoints, ...env },
    stdio: ["pipe", stdout, stderr],
    // Only the chat by lines reads this.
    input: "/time\n",
    encoding: "utf8",
    timeout: 20_000,
  });
}

/** A device of Linux where every write fails as on a full disk. */
const fullDisk = "/dev/full";

function withFullDisk<T>(use: (fd: number) => T): T {
  const fd = openSync(fullDisk, "w");
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

describe.runIf(existsSync(fullDisk))("output to a full disk", () => {
  test.each([
    ["channels"],
    ["channels", "--json"],
    ["users", "--help"],
    ["--version"],
    ["config"],
    ["time"],
    ["status"],
    ["status", "--watch"],
    ["history", "#geral"],
    ["listen", "#geral", "--since", "2026-01-01"],
    ["chat", "--lines", "--user", "ana"],
  ])("%s %s: one sentence, code 1, no stack", async (...args) => {
    await using home = await temporaryFolder();
    const { status, stderr } = withFullDisk((stdout) => run(args, { HOME: home.path }, { stdout }));
    const lines = stderr.trimEnd().split("\n");
    const said = "The output is incomplete: there is no space left where it is written (ENOSPC).";
    expect(lines.filter((line) => line.includes(said))).toHaveLength(1);
    expect(stderr).not.toContain("    at ");
    expect(status).toBe(1);
  });

  test.each(["", "--json"])(
    "ends `verify %s` on a whole folder with one sentence and code 1",
    async (flag) => {
      await using home = await temporaryFolder();
      cpSync(join(cluster.folder, "servers"), join(home.path, "servers"), { recursive: true });
      const args = ["verify", home.path, ...(flag === "" ? [] : [flag])];
      const whole = run(args, { HOME: home.path });
      expect(whole).toMatchObject({ status: 0, stderr: "" });
      const lost = withFullDisk((stdout) => run(args, { HOME: home.path }, { stdout }));
      expect(lost.stderr.match(/The output is incomplete/g)).toHaveLength(1);
      expect(lost.status).toBe(1);
    },
  );

  test("is explained in the person's language, and in JSON with --json", async () => {
    await using home = await temporaryFolder();
    const told = (...args: string[]) =>
      withFullDisk((stdout) => run(args, { HOME: home.path }, { stdout })).stderr;
    expect(told("channels", "--lang", "pt-br")).toBe(
      "tertulia: A saída está incompleta: não há mais espaço onde ela é escrita (ENOSPC).\n",
    );
    expect(JSON.parse(told("channels", "--json")).error.message).toContain("no space left");
  });

  test("for messages on stderr ends a command with code 1 too", async () => {
    await using home = await temporaryFolder();
    const { status } = withFullDisk((stderr) =>
      run(["create", "geral"], { HOME: home.path }, { stderr }),
    );
    expect(status).toBe(1);
  });
});
