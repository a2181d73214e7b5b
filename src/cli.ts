#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { Command } from "commander";
import type { Context } from "./client/commands/context.ts";
import {
  askedLanguage,
  define,
  helpTitles,
  isCommanderError,
  jsonFlag,
  optionsOf,
  rootHelp,
  timeoutFlag,
  usageSentence,
} from "./client/commands/define.ts";
import { Output } from "./client/commands/output.ts";
import { report } from "./client/commands/report.ts";
import type { ClientFlags } from "./client/config.ts";
import { type ClientCommand, clientCommands, clientSettings, groups } from "./client-commands.ts";
import { thisHost } from "./platform/host.ts";
import { Problem } from "./platform/problem.ts";
import { endByFailure } from "./platform/run-process.ts";
import { rows, type SettingName, Settings } from "./platform/settings.ts";
import { terminalLook } from "./platform/terminal-look.ts";
import { type ProcessCommand, processCommands } from "./process-commands.ts";
import { chooseLanguage, languageOf, textsIn } from "./texts/texts.ts";

/** The texts that report a failed write to standard output, by the system's error code. */
const outputProblems: Readonly<Record<string, "problem.outputClosed" | "problem.outputFull">> = {
  EPIPE: "problem.outputClosed",
  ENOSPC: "problem.outputFull",
  EDQUOT: "problem.outputFull",
};

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

/**
 * Returns the flags of a command and of its parent commands. If both have a flag, returns the
 * parent's value.
 */
function flagsOf(command: Command): ClientFlags & Partial<Record<SettingName, string>> {
  return command.optsWithGlobals();
}

async function contextOf(
  command: Command,
  endpoints: Partial<Record<SettingName, string>> = {},
): Promise<Context> {
  const { clientConfig } = await import("./client/config.ts");
  const flags = flagsOf(command);
  const settings = new Settings({ ...flags, ...endpoints }, process.env);
  const config = clientConfig(settings, flags, text);
  return { config, text, language, host, output: outputOf(config.json) };
}

/** Registers `act` as the command's action, and prints each error of `act` as one sentence. */
function asClient(command: Command, act: ClientCommand["act"]): void {
  command.action(async () => {
    try {
      await act(await contextOf(command), command.args, flagsOf(command) as never);
    } catch (error) {
      host.endWith(report(error, outputOf(flagsOf(command).json === true), text));
    }
  });
}

function defineClient({ parent, act, ...definition }: ClientCommand): void {
  const above = program.commands.find((command) => command.name() === parent) ?? program;
  const settings = [...clientSettings, ...(definition.settings ?? [])];
  const flags = [...(definition.flags ?? []), jsonFlag, timeoutFlag];
  const command = define(above, text, { ...definition, settings, flags });
  asClient(command.helpCommand(false), act);
}

function defineProcess({ run, ...definition }: ProcessCommand): void {
  const command = define(program, text, definition);
  command.action(async () => {
    try {
      await run({
        settings: settingsOf(command),
        flags: command.opts(),
        args: command.args,
        text,
        language,
        host,
        env: process.env,
        contextOf: (endpoints) => contextOf(command, endpoints),
      });
    } catch (error) {
      endByFailure(error);
    }
  });
}

function defineConfig(): void {
  const config = define(program, text, {
    name: "config",
    settings: Object.keys(rows) as SettingName[],
    flags: [jsonFlag],
    example: "tertulia config --json",
  });
  asClient(config, async ({ output }) => {
    const { listSettings } = await import("./client/commands/config.ts");
    listSettings(settingsOf(config), output, text);
  });
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
for (const group of groups) {
  const command = program.command(group).description(text(`help.${group}`));
  command.helpOption("-h, --help", text("help.help")).helpCommand(false);
}
for (const command of processCommands) defineProcess(command);
for (const command of clientCommands) defineClient(command);
defineConfig();

/**
 * Returns the called command, such as `tertulia send`. The message for a usage error points to the
 * help of this command.
 */
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
