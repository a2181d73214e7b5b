import type { Command } from "commander";
import { type ClientCommand, groups } from "./client/commands/command-row.ts";
import type { Context } from "./client/commands/context.ts";
import { define } from "./client/commands/define.ts";
import { Output } from "./client/commands/output.ts";
import { report } from "./client/commands/report.ts";
import type { ClientFlags } from "./client/config.ts";
import { clientCommands, clientFlags, clientSettings, jsonFlag } from "./client-commands.ts";
import type { Host } from "./platform/host.ts";
import { endByFailure } from "./platform/run-process.ts";
import { rows, type SettingName, Settings } from "./platform/settings.ts";
import type { SettingsFile } from "./platform/settings-file.ts";
import { terminalLook } from "./platform/terminal-look.ts";
import { type ProcessCommand, processCommands } from "./process-commands.ts";
import type { Language, Text } from "./texts/texts.ts";

/** Who calls a command: the process, its environment, and the person's language. */
export interface Caller {
  readonly host: Host;
  readonly env: NodeJS.ProcessEnv;
  /** The settings file, or the error of reading it, if the caller has named one. */
  readonly file: SettingsFile | Error | undefined;
  readonly language: Language;
  readonly text: Text;
}

/** Prints an error in one line. @returns the exit code */
export function reportTo(caller: Caller, error: unknown, json: boolean): 1 | 2 {
  return report(error, outputOf(caller, json), caller.text);
}

function outputOf({ host, env }: Caller, json: boolean): Output {
  return new Output(host, { json, look: terminalLook(host.output.isTTY, env) });
}

/**
 * Gives the command that the person has called its flags, help, action and subcommands.
 * @param command a command of `tertulia` that has only its name
 */
export function defineCalled(command: Command, caller: Caller): void {
  const name = command.name();
  const processRow = processCommands.find((row) => row.name === name);
  const clientRow = clientCommands.find((row) => row.parent === undefined && row.name === name);
  const group = groups.find((candidate) => candidate === name);
  if (processRow !== undefined) defineProcess(command, processRow, caller);
  if (clientRow !== undefined) defineClient(command, clientRow, caller);
  if (group !== undefined) defineGroup(command, group, caller);
  if (name === "config") defineConfig(command, caller);
}

function defineProcess(
  command: Command,
  { run, ...definition }: ProcessCommand,
  caller: Caller,
): void {
  define(command, caller.text, definition);
  command.action(async () => {
    try {
      await run({
        ...caller,
        settings: settingsOf(caller, command.opts(), roleOf(command, caller)),
        settingsOf: (role) => settingsOf(caller, command.opts(), role),
        flags: command.opts(),
        args: command.args,
        contextOf: (endpoints) => contextOf(command, caller, endpoints),
      });
    } catch (error) {
      endByFailure(error);
    }
  });
}

function defineClient(
  command: Command,
  { act, ...definition }: ClientCommand,
  caller: Caller,
): void {
  const settings = [...clientSettings, ...(definition.settings ?? [])];
  const flags = [...(definition.flags ?? []), ...clientFlags];
  define(command.helpCommand(false), caller.text, { ...definition, settings, flags });
  asClient(command, act, caller);
  defineSubcommands(command, caller);
}

function defineGroup(command: Command, group: (typeof groups)[number], caller: Caller): void {
  const { text } = caller;
  command.description(text(`help.${group}`)).helpOption("-h, --help", text("help.help"));
  defineSubcommands(command.helpCommand(false), caller);
}

function defineSubcommands(command: Command, caller: Caller): void {
  for (const row of clientCommands) {
    if (row.parent === command.name()) defineClient(command.command(row.name), row, caller);
  }
}

function defineConfig(command: Command, caller: Caller): void {
  const { text } = caller;
  define(command, text, {
    name: "config",
    settings: Object.keys(rows) as SettingName[],
    flags: [jsonFlag],
    example: "tertulia config --json",
  });
  const list: ClientCommand["act"] = async ({ output }) => {
    const { listSettings } = await import("./client/commands/config.ts");
    listSettings(settingsOf(caller, command.opts()), output, text);
  };
  asClient(command, list, caller);
}

/** Registers `act` as the command's action, and prints each error of `act` as one sentence. */
function asClient(command: Command, act: ClientCommand["act"], caller: Caller): void {
  command.action(async () => {
    try {
      await act(await contextOf(command, caller), command.args, flagsOf(command) as never);
    } catch (error) {
      caller.host.endWith(reportTo(caller, error, flagsOf(command).json === true));
    }
  });
}

async function contextOf(
  command: Command,
  caller: Caller,
  endpoints: Partial<Record<SettingName, string>> = {},
): Promise<Context> {
  const { clientConfig } = await import("./client/config.ts");
  const { text, language, host } = caller;
  const flags = flagsOf(command);
  const config = clientConfig(settingsOf(caller, { ...flags, ...endpoints }), flags, text);
  return { config, text, language, host, output: outputOf(caller, config.json) };
}

/** The role whose settings a command reads: that of its process, or that of which it asks. */
function roleOf(command: Command, { env }: Caller): string {
  return command.name() === "health"
    ? (command.args[0] ?? env.TERTULIA_ROLE ?? "")
    : command.name();
}

/** @throws Problem (exit code 2) if the settings file can't be read, or is invalid */
function settingsOf({ env, file }: Caller, flags: Record<string, unknown>, role = ""): Settings {
  if (file instanceof Error) throw file;
  return new Settings(flags, env, { ...file?.common, ...file?.roles.get(role) });
}

/**
 * Returns the flags of a command and of its parent commands. If both have a flag, returns the
 * parent's value.
 */
function flagsOf(command: Command): ClientFlags & Partial<Record<SettingName, string>> {
  return command.optsWithGlobals();
}
