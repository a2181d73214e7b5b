import { spawnSync } from "node:child_process";
import { closeSync, cpSync, existsSync, openSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseChannelName, parseUserName } from "../../src/protocol/ids.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { cliFile, clusterVariables } from "./cli-process.ts";

let cluster: LocalCluster;

beforeAll(async () => {
  cluster = await LocalCluster.start();
  const client = cluster.client();
  await client.login(parseUserName("ana"));
  await client.createChannel(parseChannelName("geral"));
  await client.publish(parseChannelName("geral"), "oi");
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
    // Only chat by lines reads this input.
    input: "/time\n",
    encoding: "utf8",
    timeout: 20_000,
  });
}

/** A device of Linux on which each write fails as on a full disk. */
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
  ])(
    "the command %s %s ends with code 1, one sentence and no stack if its output is on a full disk",
    async (...args) => {
      await using home = await temporaryFolder();
      const { status, stderr } = withFullDisk((stdout) =>
        run(args, { HOME: home.path }, { stdout }),
      );
      const lines = stderr.trimEnd().split("\n");
      const said = "The output is incomplete: there is no space left where it is written (ENOSPC).";
      expect(lines.filter((line) => line.includes(said))).toHaveLength(1);
      expect(stderr).not.toContain("    at ");
      expect(status).toBe(1);
    },
  );

  test.each(["", "--json"])(
    "`verify %s` of an undamaged folder ends with code 1 and one sentence if its output is on a full disk",
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

  test("a command reports incomplete output in the person's language, or in JSON with --json", async () => {
    await using home = await temporaryFolder();
    const told = (...args: string[]) =>
      withFullDisk((stdout) => run(args, { HOME: home.path }, { stdout })).stderr;
    expect(told("channels", "--lang", "pt-br")).toBe(
      "tertulia: A saída está incompleta: não há mais espaço onde ela é escrita (ENOSPC).\n",
    );
    expect(JSON.parse(told("channels", "--json")).error.message).toContain("no space left");
  });

  test("a command that can't write its messages to stderr ends with code 1", async () => {
    await using home = await temporaryFolder();
    const { status } = withFullDisk((stderr) =>
      run(["create", "geral"], { HOME: home.path }, { stderr }),
    );
    expect(status).toBe(1);
  });
});

describe("a person without a home folder", () => {
  // With this HOME, and with a user id that the system does not know, a person has no home folder.
  const nobody = { XDG_STATE_HOME: "state", HOME: "not/absolute" };
  const user = { uid: 54_321, gid: 54_321 };
  // Only root may become another user, who may not run a Node in a folder of root's.
  const canBecome = spawnSync(process.execPath, ["--version"], { ...user, cwd: "/" }).status === 0;

  test.runIf(canBecome)(
    "without a home folder, commands that need no files work, and `chat` says which variable to set",
    () => {
      const { broker, proxy } = cluster.endpoints;
      const as = (args: readonly string[], lang: string) =>
        spawnSync(process.execPath, [cliFile, ...args, "--broker", broker, "--lang", lang], {
          env: { PATH: process.env.PATH ?? "", ...nobody },
          ...user,
          cwd: "/",
          encoding: "utf8",
          input: "",
          timeout: 20_000,
        });
      expect(as(["channels"], "en")).toMatchObject({ status: 0, stdout: "geral\n", stderr: "" });
      expect(as(["send", "#geral", "oi", "--user", "ana"], "en")).toMatchObject({ status: 0 });
      const chat = ["chat", "--lines", "--user", "ana", "--proxy", proxy];
      expect(as(chat, "en")).toMatchObject({ status: 1 });
      expect(as(chat, "en").stderr).toContain(
        "tertulia: The chat has no folder for its files: set HOME or XDG_STATE_HOME to an absolute path.",
      );
      expect(as(chat, "pt-br").stderr).toContain("defina HOME ou XDG_STATE_HOME");
    },
  );

  test("the chat ignores a relative XDG_STATE_HOME and puts its files below HOME", async () => {
    await using home = await temporaryFolder();
    const env = { XDG_STATE_HOME: "state", HOME: home.path };
    const { status } = run(["chat", "--lines", "--user", "ana"], env);
    expect(status).toBe(0);
    expect(existsSync("state")).toBe(false);
    expect(existsSync(`${home.path}/.local/state/tertulia/chats`)).toBe(true);
  });
});
