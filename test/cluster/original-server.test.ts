import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { OriginalServer } from "../support/original-server.ts";
import { python } from "../support/readme-python.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";
import { CliProcess, cliFile, type Ended } from "../terminal/cli-process.ts";
import { closeTerminals, hasTmux, Terminal } from "../terminal/tmux-terminal.ts";

const only = "The server speaks only the original protocol";

describe.skipIf(python === undefined)("[C8] a cluster of the original protocol in Python", () => {
  let home: TemporaryFolder;
  let server: OriginalServer;

  beforeEach(async () => {
    home = await temporaryFolder();
  });

  afterEach(async () => {
    server[Symbol.dispose]();
    await home[Symbol.asyncDispose]();
  });

  async function run(args: readonly string[], input = ""): Promise<Ended> {
    using command = new CliProcess([...args, ...server.flags], { XDG_STATE_HOME: home.path });
    return await command.end(input);
  }

  test("each command sends its request once to a server of the original protocol, and reports the server's answer", async () => {
    server = await OriginalServer.start();
    expect(await run(["login", "ana"])).toMatchObject({ code: 0 });
    expect(await run(["create", "geral", "--user", "ana"])).toMatchObject({ code: 0 });
    expect(await run(["users"])).toMatchObject({ code: 0, stdout: "ana\n" });
    expect(await run(["channels"])).toMatchObject({ code: 0, stdout: "geral\n" });
    const sent = await run(["send", "#geral", "Oi", "--user", "ana"]);
    expect(sent).toMatchObject({ code: 0, stdout: "" });
    expect(sent.stderr).toBe(
      "Sent to #geral: the server answered OK, but speaks only the original protocol and gives no receipt.\n",
    );
    const refused = await run(["send", "#nada", "Olá", "--user", "ana"]);
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.stderr).toBe(`tertulia: ${only}, and refused: Canal não existe\n`);
    expect(await server.counts()).toEqual({
      "login ana": 1,
      "channel geral": 1,
      "users ": 1,
      "channels ": 1,
      "publish Oi": 1,
      "publish Olá": 1,
    });
  }, 60_000);

  const lacking = [["listen", "#geral"], ["history", "#geral"], ["status"], ["time"]] as const;

  test.each(["erro", "message", "silent"])(
    "a command ends with one sentence if a server of the original protocol does not know the service (reaction: %s)",
    async (unknown) => {
      server = await OriginalServer.start("--unknown", unknown);
      const results = await Promise.all(lacking.map((args) => run([...args, "--user", "ana"])));
      for (const [at, { code, stdout, stderr }] of results.entries()) {
        const [name] = lacking[at] ?? [];
        const service = name === "listen" ? "history" : name;
        expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
        expect(stderr).toBe(`tertulia: ${only}, which has no \`${service}\`.\n`);
      }
      const { "history geral": histories = 0, ...counts } = await server.counts();
      expect(histories).toBeLessThanOrEqual(4);
      expect(counts["status "]).toBeLessThanOrEqual(2);
      expect(counts["time "]).toBeLessThanOrEqual(2);
    },
    60_000,
  );

  test("with a server of the original protocol, a bot, the menu and each chat log in once and end with one sentence", async () => {
    server = await OriginalServer.start();
    const said = `${only}: it answered OK, but has no receipts and no history.`;
    const lines = await run(["chat", "--lines", "--user", "leo"], "/join geral\nOi\n");
    expect(lines).toMatchObject({ code: 1, stderr: `tertulia: ${said}\n` });
    const bot = await run(["bot", "--data", home.path, "--name", "robo"]);
    expect(bot.code).toBe(1);
    expect(bot.stderr.match(/without a receipt/g)).toHaveLength(1);
    if (hasTmux) await fullScreen(said);
    const counts = await server.counts();
    const asked = Object.keys(counts).filter((key) => !key.startsWith("reference"));
    const logins = ["login leo", "login robo", ...(hasTmux ? ["login eva", "login mia"] : [])];
    expect(asked.sort()).toEqual(logins.sort());
    for (const login of logins) expect(counts[login]).toBe(1);
  }, 60_000);

  test("[O48] each process logs once that its reference has the original protocol, and sends this reference only `list`", async () => {
    server = await OriginalServer.start();
    const { reference } = server.endpoints;
    const at = ["--reference", reference, "--data", home.path];
    const ends = ["--front", "tcp://127.0.0.1:*", "--back", "tcp://127.0.0.1:*"];
    // No broker or proxy runs here, because these processes only need the reference.
    const nobody = "tcp://127.0.0.1:9";
    const others = ["--broker", nobody, "--proxy", nobody];
    const servers = ["--broker-back", nobody, "--proxy-in", nobody, "--proxy", nobody];
    const env = { TERTULIA_SECRET: "the secret of a test, long enough" };
    const processes = [
      ["broker", ...ends, ...at],
      ["proxy", ...ends, ...at],
      ["server", ...servers, "--bind", "tcp://127.0.0.1:*", ...at],
      ["bot", ...others, ...at],
    ].map((args) => new CliProcess(args, env));
    try {
      const startMs = performance.now();
      const text = "speaks only the original protocol";
      await Promise.all(processes.map((process) => process.saw(text)));
      expect(performance.now() - startMs).toBeLessThan(8_000);
      // Later heartbeats add no line to the log.
      await until(() => performance.now() - startMs > 7_000, "more heartbeats");
      for (const { stderr } of processes) expect(stderr.split(text)).toHaveLength(2);
    } finally {
      for (const process of processes) process[Symbol.dispose]();
    }
    const asked = await server.counts();
    expect(Object.keys(asked)).toEqual(["reference list"]);
  }, 60_000);

  async function fullScreen(said: string): Promise<void> {
    for (const [command, user] of [
      ["chat", "eva"],
      ["menu", "mia"],
    ]) {
      const env = `LANG=C.UTF-8 XDG_STATE_HOME=${home.path}`;
      const cli = `${process.execPath} ${cliFile} ${command} --user ${user}`;
      const terminal = new Terminal(`${env} ${cli} ${server.flags.join(" ")}`, {
        columns: 120,
        rows: 20,
      });
      try {
        await terminal.shows(`tertulia: ${said}`);
        await terminal.shows("code 1");
      } finally {
        terminal.killNow();
        closeTerminals();
      }
    }
  }
});
