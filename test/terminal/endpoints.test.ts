import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { CliProcess } from "./cli-process.ts";

const ofClients = ["broker", "proxy", "reference"];
const ofForwarders = ["front", "back", "reference", "advertise"];

/** Each command with those of its settings that are endpoints. */
const commands: readonly (readonly [command: string, settings: readonly string[]])[] = [
  ["broker", ofForwarders],
  ["proxy", ofForwarders],
  ["reference", ["bind"]],
  ["server", ["broker-back", "proxy-in", "proxy", "reference", "bind", "advertise"]],
  ["bot", ofClients],
  ["health broker", ["front", "back"]],
  ["health proxy", ["front", "back"]],
  ["health reference", ["bind"]],
  ["health server", ["bind"]],
  ["config", [...ofClients, ...ofForwarders, "bind", "broker-back", "proxy-in"]],
  ...[
    "chat",
    "menu",
    "login ana",
    "register ana",
    "password ana",
    "users",
    "channels",
    "channels remove geral",
    "create geral",
    "send #geral olá",
    "history #geral",
    "listen #geral",
    "time",
    "status",
    "accounts promote ana",
    "accounts registration open",
    "servers remove server_0",
  ].map((command) => [command, ofClients] as const),
];

const cases = commands.flatMap(([command, settings]) =>
  settings.flatMap((setting) => [
    { command, setting, from: "flag" as const },
    { command, setting, from: "environment" as const },
  ]),
);

const wrong = "tcp://127.0.0.1:5555/";
const variable = (setting: string) => `TERTULIA_${setting.toUpperCase().replaceAll("-", "_")}`;

describe.concurrent("a command with an invalid endpoint", () => {
  test.each(cases)(
    "the command $command with an invalid --$setting, given by $from, ends with code 2 and one sentence",
    { timeout: 30_000 },
    async (one) => {
      const { command, setting, from } = one;
      const words = command.split(" ");
      using process =
        from === "flag"
          ? new CliProcess([...words, `--${setting}`, wrong])
          : new CliProcess(words, { [variable(setting)]: wrong });
      const { code, stdout, stderr } = await process.end();
      const name = from === "flag" ? `--${setting}` : variable(setting);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toMatch(/^tertulia: .*\n$/);
      expect(stderr).toContain(`${name}: "${wrong}" won't do: `);
    },
  );
});

test("`up` refuses a --port that is invalid or leads to ports above 65535", async () => {
  for (const flags of [
    ["--port", "65536"],
    ["--port", "65532"],
    ["--port", "60000", "--brokers", "600"],
    ["--port", "abc"],
  ]) {
    using up = new CliProcess(["up", ...flags]);
    const { code, stderr } = await up.end();
    expect({ code, lines: stderr.split("\n").length }, flags.join(" ")).toEqual({
      code: 2,
      lines: 2,
    });
    expect(stderr).toContain("--port");
  }
});

test.each(["BIND", "FRONT", "BACK", "ADVERTISE"])(
  "`up` ends with code 2 and starts no process if TERTULIA_%s, an address for a single process, is set",
  async (name) => {
    await using folder = await temporaryFolder();
    const data = join(folder.path, "data");
    const env = { [`TERTULIA_${name}`]: "tcp://127.0.0.1:7000" };
    using up = new CliProcess(["up", "--data", data, "--port", "0"], env);
    expect(await up.end()).toEqual({
      code: 2,
      stdout: "",
      stderr:
        `tertulia: TERTULIA_${name} is the place of one process, and \`up\` starts several: ` +
        "unset it and say --port, or start each role by itself.\n",
    });
    expect(existsSync(data)).toBe(false);
  },
);
