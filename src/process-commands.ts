import { existsSync } from "node:fs";
import type { Context } from "./client/commands/context.ts";
import type { Definition } from "./client/commands/define.ts";
import { jsonFlag, openChat } from "./client-commands.ts";
import type { Host } from "./platform/host.ts";
import { Problem } from "./platform/problem.ts";
import type { SettingName, Settings } from "./platform/settings.ts";
import type { Language, Text } from "./texts/texts.ts";

/**
 * What a process command gets: the parsed command line, the texts, and the host and environment of
 * the process.
 */
export interface Call {
  readonly settings: Settings;
  /** Returns the settings that a process of a role would have with the same flags. */
  settingsOf(role: string): Settings;
  readonly flags: Record<string, never>;
  readonly args: readonly string[];
  readonly text: Text;
  readonly language: Language;
  readonly host: Host;
  readonly env: NodeJS.ProcessEnv;
  /** Returns the context of the chat that `up --chat` opens at these endpoints. */
  contextOf(endpoints: Partial<Record<SettingName, string>>): Promise<Context>;
}

/**
 * A command that runs a process in the foreground. If a defect ends the process, the stack is
 * printed.
 */
export type ProcessCommand = Definition & {
  run(call: Call): Promise<void> | void;
};

const common = [
  "data",
  "secretFile",
  "cluster",
  "auth",
  "curve",
  "insecure",
  "metrics",
  "logLevel",
  "lang",
] as const;
const administered = ["data", "secretFile", "cluster", "curve"] as const;
const engine = ["engine", "enginePasswordFile"] as const;
const redis = ["redis", "redisPasswordFile"] as const;
const ends = ["front", "back", "reference", "advertise", "guestServers", ...common] as const;
const links = ["brokerBack", "proxyIn", "proxy", "reference", "bind", "advertise"] as const;

/** The settings of all processes that depend on the host or on the network. */
const doctorSettings = [
  "broker",
  "brokerBack",
  "proxyIn",
  "proxy",
  "reference",
  "front",
  "back",
  "bind",
  "advertise",
  "data",
  "secretFile",
  "cluster",
  "auth",
  "curve",
  "serverKeyFile",
  "http",
  "gatewayKeyFile",
  "lang",
] as const;

// Each command imports its code when it runs, so that a server, for example, does not load the
// menu.
export const processCommands: readonly ProcessCommand[] = [
  {
    name: "up",
    settings: [
      "data",
      "secretFile",
      "cluster",
      "auth",
      "curve",
      "guestServers",
      "user",
      "passwordFile",
      "metrics",
      ...engine,
      ...redis,
      "insecure",
      "logLevel",
      "lang",
    ],
    flags: [
      { name: "servers", value: "n", fallback: "3" },
      { name: "bots", value: "n", fallback: "0" },
      { name: "gateways", value: "n", fallback: "1" },
      { name: "games", value: "n", fallback: "0" },
      { name: "brokers", value: "n", fallback: "1" },
      { name: "proxies", value: "n", fallback: "1" },
      { name: "port", value: "n", fallback: "5555" },
      { name: "chat" },
      jsonFlag,
    ],
    example: "tertulia up --servers 3 --bots 2 --chat",
    run: runUp,
  },
  {
    name: "broker",
    settings: ends,
    example: "tertulia broker",
    run: async ({ settings }) => (await import("./broker/main.ts")).runBroker(settings),
  },
  {
    name: "proxy",
    settings: ends,
    example: "tertulia proxy",
    run: async ({ settings }) => (await import("./proxy/main.ts")).runProxy(settings),
  },
  {
    name: "reference",
    settings: ["bind", ...common],
    example: "tertulia reference --bind tcp://127.0.0.1:5559",
    run: async ({ settings }) => (await import("./reference/main.ts")).runReference(settings),
  },
  {
    name: "server",
    settings: [
      ...links,
      ...common,
      ...engine,
      ...redis,
      "leaveOnStop",
      "keepPublications",
      "keepMessages",
      "keepLogins",
      "checkpointBytes",
      "userRate",
      "connectionRate",
      "steps",
    ],
    example: "tertulia server --data ./data",
    run: async ({ settings }) => (await import("./server/main.ts")).runServer(settings),
  },
  {
    name: "gateway",
    settings: [
      "http",
      "broker",
      "proxy",
      "reference",
      "game",
      "serverKeyFile",
      "gatewayKeyFile",
      "trustedProxies",
      "data",
      "metrics",
      "logLevel",
      "lang",
    ],
    example: "tertulia gateway --http tcp://127.0.0.1:8080",
    run: async ({ settings }) => (await import("./gateway/main.ts")).runGateway(settings),
  },
  {
    name: "game",
    settings: ["front", "mqtt", "broker", "proxy", "reference", "advertise", ...common, "steps"],
    example: "tertulia game --front tcp://127.0.0.1:5561",
    run: async ({ settings }) => (await import("./game/main.ts")).runGame(settings),
  },
  {
    name: "bot",
    settings: [
      "broker",
      "proxy",
      "reference",
      "serverKeyFile",
      "data",
      "passwordFile",
      "invitation",
      "logLevel",
      "lang",
    ],
    flags: [
      { name: "rate", value: "n", fallback: "0" },
      { name: "burst", value: "n", fallback: "10" },
      { name: "pause", value: "ms", fallback: "2000" },
      { name: "channels", value: "list" },
      { name: "count", value: "n", fallback: "0" },
      { name: "seed", value: "n" },
      { name: "name", value: "name" },
    ],
    example: "tertulia bot --burst 100 --pause 500",
    run: async ({ settings, flags }) => (await import("./bot/main.ts")).runBot(settings, flags),
  },
  {
    name: "health",
    args: ["[ROLE]"],
    settings: ["front", "back", "bind", "http", "data", "secretFile", "cluster", "curve", "lang"],
    example: "tertulia health broker",
    run: async ({ settings, args: [role], env, text }) =>
      (await import("./cluster/health.ts")).runHealth(settings, role ?? env.TERTULIA_ROLE, text),
  },
  {
    name: "doctor",
    args: ["[ROLES...]"],
    settings: doctorSettings,
    flags: [jsonFlag],
    example: "tertulia doctor broker proxy server --data /var/lib/tertulia",
    run: async ({ settings, settingsOf, args, env, flags, text, host }) => {
      const roles = args.length > 0 ? args : [env.TERTULIA_ROLE ?? ""].filter(Boolean);
      const { runDoctor } = await import("./cluster/doctor/doctor.ts");
      await runDoctor({
        settings,
        settingsOf,
        roles,
        json: flags.json === true,
        text,
        host,
      });
    },
  },
  {
    name: "verify",
    args: ["FOLDER"],
    flags: [jsonFlag],
    example: "tertulia verify ./data",
    run: async ({ args: [folder], flags, text }) =>
      (await import("./cluster/verify.ts")).runVerify(folder as string, flags.json === true, text),
  },
  {
    name: "backup",
    args: ["FILE"],
    settings: [...administered, "reference", "keyFile", "lang"],
    flags: [jsonFlag],
    example: "tertulia backup tertulia-2026-01-31.json.gz",
    run: async (call) => (await import("./backup/backup.ts")).runBackup(ofFile(call)),
  },
  {
    name: "restore",
    args: ["FILE"],
    settings: ["data", "keyFile", "lang"],
    flags: [jsonFlag],
    example: "tertulia restore tertulia-2026-01-31.json.gz --data ./data",
    run: async (call) => (await import("./backup/restore.ts")).runRestore(ofFile(call)),
  },
  {
    name: "migrate",
    args: ["FILE"],
    settings: [...engine, "insecure", "keyFile", "lang"],
    flags: [jsonFlag],
    example: "tertulia migrate tertulia-2026-01-31.json.gz --engine postgres://localhost/tertulia",
    run: async (call) => (await import("./backup/migrate.ts")).runMigrate(ofFile(call)),
  },
  {
    name: "init",
    args: ["HOST..."],
    settings: ["lang"],
    flags: [{ name: "out", value: "folder", fallback: "cluster" }],
    example: "tertulia init ana=10.0.0.1 bia=10.0.0.2 caio=10.0.0.3",
    run: async ({ args, flags: { out = "cluster" }, text }) =>
      (await import("./cluster/init.ts")).runInit(args, out, text),
  },
  {
    name: "secret",
    args: ["ACTION"],
    settings: ["data", "secretFile", "cluster", "lang"],
    flags: [jsonFlag],
    example: "tertulia secret add",
    run: async ({ settings, args: [action = ""], flags, text }) =>
      (await import("./cluster/secret.ts")).runSecret({
        ...{ settings, action, text },
        json: flags.json === true,
      }),
  },
  {
    name: "chaos",
    settings: ["lang"],
    flags: [
      { name: "seconds", value: "n", fallback: "60" },
      { name: "seed", value: "n" },
      { name: "servers", value: "n", fallback: "3" },
      { name: "postgres" },
      { name: "report", value: "file" },
      jsonFlag,
    ],
    example: "tertulia chaos --seconds 120 --seed 7 --report chaos.html",
    run: runChaos,
  },
];

function ofFile({ args: [file = ""], flags, ...call }: Call) {
  return { ...call, file, json: flags.json === true };
}

async function runUp({ settings, flags, text, contextOf }: Call): Promise<void> {
  const up = await import("./cluster/up.ts");
  await up.runUp({
    settings,
    flags,
    text,
    openChat: async (endpoints) => openChat(await contextOf(endpoints)),
  });
}

/**
 * Runs a chaos trial.
 * @throws Problem in the Docker image and the npm package, which do not contain the trials
 */
async function runChaos({ flags, language, host, text }: Call): Promise<void> {
  if (!existsSync(new URL("trials", import.meta.url))) throw new Problem(text("problem.trials"));
  const { runChaosCommand } = await import("./trials/chaos/command.ts");
  await runChaosCommand({ flags, language, host });
}
