#!/usr/bin/env node
import { existsSync, readFileSync } from "node:fs";
import { Command } from "commander";
import { changePassword, login, register } from "./client/commands/account.ts";
import {
  accountActions,
  changeAccount,
  changeChannel,
  setRegistration,
} from "./client/commands/accounts.ts";
import { listSettings } from "./client/commands/config.ts";
import type { Context } from "./client/commands/context.ts";
import {
  askedLanguage,
  type Definition,
  define,
  helpTitles,
  isCommanderError,
  jsonFlag,
  optionsOf,
  rootHelp,
  timeoutFlag,
  usageSentence,
} from "./client/commands/define.ts";
import { report } from "./client/commands/failure.ts";
import { history } from "./client/commands/history.ts";
import { listen } from "./client/commands/listen.ts";
import { channels, create, time, users } from "./client/commands/lists.ts";
import { Output } from "./client/commands/output.ts";
import { send } from "./client/commands/send.ts";
import { removeServer } from "./client/commands/servers.ts";
import { status } from "./client/commands/status.ts";
import { type ClientFlags, clientConfig, clientSettings } from "./client/config.ts";
import type { UpOptions } from "./cluster/up.ts";
import { thisHost } from "./platform/host.ts";
import { Problem } from "./platform/problem.ts";
import { endByFailure } from "./platform/run-process.ts";
import { rows, type SettingName, Settings } from "./platform/settings.ts";
import { terminalLook } from "./platform/terminal-look.ts";
import { type Role, roles } from "./protocol/reference-messages.ts";
import { chooseLanguage, languageOf, textsIn } from "./texts/texts.ts";

// What a command needs is loaded with the command: a server has no use for a menu.
const openMenu = async (context: Context) =>
  (await import("./client/terminal/menu.ts")).runMenu(context);
const openFullScreen = async (context: Context) =>
  (await import("./client/terminal/full-screen.ts")).runFullScreen(context);
const openLines = async (context: Context) =>
  (await import("./client/terminal/lines.ts")).runLines(context);

/** Why output can't be written, by the system's code. */
const outputProblems: Readonly<Record<string, "problem.outputClosed" | "problem.outputFull">> = {
  EPIPE: "problem.outputClosed",
  ENOSPC: "problem.outputFull",
  EDQUOT: "problem.outputFull",
};

type Act = (context: Context, args: readonly string[], flags: never) => Promise<void> | void;

const host = thisHost((code) => {
  const key = outputProblems[code] ?? "problem.output";
  report(new Problem(text(key, { code })), outputOf(host.args.includes("--json")), text);
});
const asked = askedLanguage(host.args);
const language = chooseLanguage(asked, process.env);
const text = textsIn(language);

function outputOf(json: boolean): Output {
  return new Output(host, { json, look: terminalLook(host.output.isTTY, process.env) });
}

function settingsOf(command: Command): Settings {
  return new Settings(command.opts(), process.env);
}

/** A command's flags and its parents'. Of a flag that both have, the parent's value counts. */
function flagsOf(command: Command): ClientFlags & Partial<Record<SettingName, string>> {
  return command.optsWithGlobals();
}

function contextOf(command: Command, endpoints: { broker?: string; proxy?: string } = {}): Context {
  const flags = flagsOf(command);
  const settings = new Settings({ ...flags, ...endpoints }, process.env);
  const config = clientConfig(settings, flags, text);
  return { config, text, language, host, output: outputOf(config.json) };
}

/** A command of a client: whatever goes wrong, a person gets one sentence. */
function asClient(command: Command, act: Act): void {
  command.action(async () => {
    try {
      await act(contextOf(command), command.args, flagsOf(command) as never);
    } catch (error) {
      host.endWith(report(error, outputOf(flagsOf(command).json === true), text));
    }
  });
}

function client(definition: Definition, act: Act, parent: Command = program): Command {
  const settings = [...clientSettings, ...(definition.settings ?? [])];
  const flags = [...(definition.flags ?? []), jsonFlag, timeoutFlag];
  const command = define(parent, text, { ...definition, settings, flags });
  asClient(command, act);
  return command;
}

/** A process in the foreground: a defect of it shows its stack, to whoever runs it. */
function role(
  definition: Definition,
  run: (settings: Settings, flags: Record<string, never>, command: Command) => Promise<void>,
): void {
  const command = define(program, text, definition);
  command.action(async () => {
    try {
      const settings = settingsOf(command);
      await run(settings, command.opts(), command);
    } catch (error) {
      endByFailure(error);
    }
  });
}

function defineRoles(): void {
  const secret = ["data", "secretFile", "cluster"] as const;
  const common = [...secret, "auth", "curve", "insecure", "logLevel", "lang"] as const;
  const ends = ["front", "back", "reference", "advertise", "guestServers", ...common] as const;
  role(
    { name: "broker", help: "broker", settings: ends, example: "tertulia broker" },
    async (settings) => (await import("./broker/main.ts")).runBroker(settings),
  );
  role(
    { name: "proxy", help: "proxy", settings: ends, example: "tertulia proxy" },
    async (settings) => (await import("./proxy/main.ts")).runProxy(settings),
  );
  role(
    {
      name: "reference",
      help: "reference",
      settings: ["bind", ...common],
      example: "tertulia reference --bind tcp://127.0.0.1:5559",
    },
    async (settings) => (await import("./reference/main.ts")).runReference(settings),
  );
  const links = ["brokerBack", "proxyIn", "proxy", "reference", "bind", "advertise"] as const;
  role(
    {
      name: "server",
      help: "server",
      settings: [
        ...links,
        ...common,
        "leaveOnStop",
        "keepPublications",
        "keepMessages",
        "keepLogins",
        "checkpointBytes",
        "userRate",
        "connectionRate",
      ],
      example: "tertulia server --data ./data",
    },
    async (settings) => (await import("./server/main.ts")).runServer(settings),
  );
  role(
    {
      name: "bot",
      help: "bot",
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
    },
    async (settings, flags) => (await import("./bot/main.ts")).runBot(settings, flags),
  );
}

function defineUp(): void {
  role(
    {
      name: "up",
      help: "up",
      settings: [
        "data",
        "secretFile",
        "cluster",
        "auth",
        "curve",
        "guestServers",
        "user",
        "passwordFile",
        "logLevel",
        "lang",
      ],
      flags: [
        { name: "servers", value: "n", fallback: "3" },
        { name: "bots", value: "n", fallback: "0" },
        { name: "brokers", value: "n", fallback: "1" },
        { name: "proxies", value: "n", fallback: "1" },
        { name: "port", value: "n", fallback: "5555" },
        { name: "chat" },
        jsonFlag,
      ],
      example: "tertulia up --servers 3 --bots 2 --chat",
    },
    async (settings, flags, command) => {
      const { runUp } = await import("./cluster/up.ts");
      const open: UpOptions["openChat"] = (endpoints) => openChat(contextOf(command, endpoints));
      const readyLines: UpOptions["readyLines"] = (endpoints) => {
        const ready = text("up.ready", endpoints);
        if (settings.get("auth") === "open") return [ready];
        return [ready, text("up.promote", { flags: operatorFlags(settings, endpoints) })];
      };
      await runUp({ settings, flags, openChat: open, readyLines });
    },
  );
}

/** What a command of the operator has to be told to mean this very cluster. */
function operatorFlags(settings: Settings, { broker }: { broker: string }): string {
  const values = { data: settings.get("data"), broker } as const;
  const names = (["data", "broker"] as const).filter(
    (name) => values[name] !== rows[name].fallback,
  );
  return names.map((name) => ` --${name} ${values[name]}`).join("");
}

function defineTrials(): void {
  role(
    {
      name: "chaos",
      help: "chaos",
      settings: ["lang"],
      flags: [
        { name: "seconds", value: "n", fallback: "60" },
        { name: "seed", value: "n" },
        { name: "servers", value: "n", fallback: "3" },
        { name: "report", value: "file" },
        jsonFlag,
      ],
      example: "tertulia chaos --seconds 120 --seed 7 --report chaos.html",
    },
    async (_settings, flags) => {
      // The image and the package have only what a cluster needs.
      if (!existsSync(new URL("trials", import.meta.url)))
        throw new Problem(text("problem.trials"));
      const { runChaosCommand } = await import("./trials/chaos/command.ts");
      await runChaosCommand({ flags, language, host });
    },
  );
}

/** Settings that find the cluster's secret: with it an administrator's command needs no session. */
const administering = ["data", "secretFile", "cluster", "curve"] as const;

/** `channels` alone lists them. */
function defineChannels(): void {
  const list = client(
    { name: "channels", help: "channels", example: "tertulia channels --json" },
    (context) => channels(context),
  ).helpCommand(false);
  for (const action of ["remove", "restore"] as const) {
    client(
      {
        name: action,
        help: `${action}Channel`,
        args: ["CHANNEL"],
        settings: administering,
        example: `tertulia channels ${action} geral`,
      },
      (context, [channel]) => changeChannel(context, action, channel as string),
      list,
    );
  }
}

function defineScripting(): void {
  const named = (name: "login" | "password", run: typeof login) =>
    client(
      {
        name,
        help: name,
        args: ["NAME"],
        settings: ["passwordFile"],
        example: `tertulia ${name} ana`,
      },
      (context, [user]) => run(context, user as string),
    );
  named("login", login);
  named("password", changePassword);
  client(
    {
      name: "register",
      help: "register",
      args: ["NAME"],
      settings: ["passwordFile", "invitation"],
      example: "tertulia register ana",
    },
    (context, [name]) => register(context, name as string),
  );
  for (const [name, run] of Object.entries({ users, time } as const)) {
    const help = name as "users" | "time";
    client({ name, help, example: `tertulia ${name} --json` }, (context) => run(context));
  }
  defineChannels();
  client(
    { name: "create", help: "create", args: ["CHANNEL"], example: "tertulia create geral" },
    (context, [channel]) => create(context, channel as string),
  );
  client(
    {
      name: "send",
      help: "send",
      args: ["TARGET", "TEXT"],
      example:
        "tertulia send '#geral' 'Bom dia!'\n  $ tertulia send '#geral' -- '-1 grad'\n" +
        "  $ uptime | tertulia send @ana -",
    },
    (context, [target, words]) => send(context, target as string, words as string),
  );
  client(
    {
      name: "history",
      help: "history",
      args: ["TARGET"],
      flags: [
        { name: "limit", value: "n", fallback: "100" },
        { name: "before", value: "place" },
        { name: "since", value: "vector", help: "sinceVector" },
      ],
      example: "tertulia history '#geral' --limit 20\n  $ tertulia history @ana --user bia",
    },
    (context, [target], flags) => history(context, target as string, flags),
  );
  client(
    {
      name: "listen",
      help: "listen",
      args: ["TARGET"],
      flags: [{ name: "since", value: "start" }],
      example: "tertulia listen '#geral' --since 2026-01-31T08:00:00Z",
    },
    (context, [target], flags) => listen(context, target as string, flags),
  );
}

function defineWatching(): void {
  client(
    {
      name: "status",
      help: "status",
      flags: [{ name: "watch" }],
      example: "tertulia status --watch",
    },
    (context, _args, flags) => status(context, flags),
  );
  role(
    {
      name: "health",
      help: "health",
      args: ["[ROLE]"],
      settings: ["front", "back", "bind", "data", "secretFile", "cluster", "curve", "lang"],
      example: "tertulia health broker",
    },
    async (settings, _flags, command) =>
      (await import("./cluster/health.ts")).runHealth(settings, roleOf(command.args[0])),
  );
  role(
    {
      name: "verify",
      help: "verify",
      args: ["FOLDER"],
      flags: [jsonFlag],
      example: "tertulia verify ./data",
    },
    async (_settings, _flags, command) => {
      const { runVerify } = await import("./cluster/verify.ts");
      runVerify(command.args[0] as string, command.opts().json === true, text);
    },
  );
  const servers = program.command("servers").description(text("help.servers"));
  servers.helpOption("-h, --help", text("help.help")).helpCommand(false);
  client(
    {
      name: "remove",
      help: "remove",
      args: ["NAME"],
      settings: administering,
      flags: [{ name: "force" }],
      example: "tertulia servers remove server_0a1b2c3d",
    },
    (context, [name], flags) => removeServer(context, name as string, flags),
    servers,
  );
  const accounts = program.command("accounts").description(text("help.accounts"));
  accounts.helpOption("-h, --help", text("help.help")).helpCommand(false);
  for (const name of accountActions) {
    const example = `tertulia accounts ${name} ana`;
    client(
      { name, help: name, args: ["NAME"], settings: administering, example },
      (context, [user]) => changeAccount(context, name, user as string),
      accounts,
    );
  }
  client(
    {
      name: "registration",
      help: "registration",
      args: ["MODE"],
      settings: administering,
      example: "tertulia accounts registration invitation",
    },
    (context, [mode]) => setRegistration(context, mode as string),
    accounts,
  );
  const config = define(program, text, {
    name: "config",
    help: "config",
    settings: Object.keys(rows) as SettingName[],
    flags: [jsonFlag],
    example: "tertulia config --json",
  });
  asClient(config, ({ output }) => listSettings(settingsOf(config), output, text));
}

/** A screen reader, a pipe and a terminal that can't move its cursor get lines. */
function openChat(
  context: Context,
  _args?: readonly string[],
  flags: ChatFlags = {},
): Promise<void> {
  const { input, output } = context.host;
  const hasTerminal = input.isTTY && output.isTTY && process.env.TERM !== "dumb";
  const wantsLines = flags.lines === true || context.config.json;
  return hasTerminal && !wantsLines ? openFullScreen(context) : openLines(context);
}

interface ChatFlags {
  readonly lines?: boolean;
}

function defineTalking(): void {
  const settings = ["passwordFile"] as const;
  client(
    {
      name: "chat",
      help: "chat",
      settings,
      flags: [{ name: "lines" }],
      example: "tertulia chat --user ana",
    },
    openChat,
  );
  client({ name: "menu", help: "menu", settings, example: "tertulia menu --user ana" }, openMenu);
}

function roleOf(said: string | undefined): Role {
  const name = said ?? process.env.TERTULIA_ROLE;
  const found = roles.find((candidate) => candidate === name);
  if (found === undefined)
    throw new Problem(text("problem.healthRole", { roles: roles.join(", ") }), 2);
  return found;
}

function version(): string {
  const file = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(file) as { version: string }).version;
}

const program = new Command("tertulia")
  .version(version(), "-V, --version", text("help.version"))
  .helpOption("-h, --help", text("help.help"))
  .helpCommand(false)
  .option("--lang <language>", text("flag.lang"))
  .configureHelp({ styleTitle: helpTitles(text) })
  .configureOutput({ outputError: () => {} })
  .exitOverride();
program.helpInformation = () => rootHelp(text);
defineUp();
defineRoles();
defineTalking();
defineScripting();
defineWatching();
defineTrials();

/** The command that was asked for, to point at its help. */
function askedCommand(): string {
  const names = program.commands.map((command) => command.name());
  const known = host.args.find((arg) => names.includes(arg));
  return known === undefined ? "tertulia" : `tertulia ${known}`;
}

try {
  if (asked !== undefined && languageOf(asked) === undefined) {
    throw new Problem(text("problem.lang", { value: asked }), 2);
  }
  await program.parseAsync(host.args, { from: "user" });
} catch (error) {
  const output = outputOf(optionsOf(host.args).includes("--json"));
  if (!isCommanderError(error)) {
    host.endWith(report(error, output, text));
  } else if (error.exitCode !== 0) {
    const sentence = usageSentence(error, text, askedCommand());
    host.endWith(sentence === undefined ? 2 : report(new Problem(sentence, 2), output, text));
  }
}
