#!/usr/bin/env node
import { Command } from "commander";
import type { Caller } from "./called-command.ts";
import { groups } from "./client/commands/command-row.ts";
import {
  flagValue,
  helpTitles,
  isCommanderError,
  optionsOf,
  rootHelp,
  usageSentence,
} from "./client/commands/usage.ts";
import { clientCommands } from "./client-commands.ts";
import { thisHost } from "./platform/host.ts";
import { Problem } from "./platform/problem.ts";
import type { SettingsFile } from "./platform/settings-file.ts";
import { ownVersion } from "./platform/version.ts";
import { processCommands } from "./process-commands.ts";
import { chooseLanguage, languageOf, textsIn } from "./texts/texts.ts";

// Code that only some command lines need is loaded when it is needed, so that a command starts
// quickly.
const calledCommand = () => import("./called-command.ts");

/** The texts that report a failed write to standard output, by the system's error code. */
const outputProblems: Readonly<Record<string, "problem.outputClosed" | "problem.outputFull">> = {
  EPIPE: "problem.outputClosed",
  ENOSPC: "problem.outputFull",
  EDQUOT: "problem.outputFull",
};

const host = thisHost(async (code) => {
  const key = outputProblems[code] ?? "problem.output";
  await report(new Problem(text(key, { code })));
});
const asked = flagValue("--lang", host.args);
const file = await settingsFile().catch((error: Error) => error);
const lang = process.env.TERTULIA_LANG || (file instanceof Error ? undefined : file?.common.lang);
const language = chooseLanguage(asked, { ...process.env, TERTULIA_LANG: lang });
const text = textsIn(language);
const caller: Caller = { host, env: process.env, file, language, text };

/** Reads the settings file, which may choose the language; undefined if none is named. */
async function settingsFile(): Promise<SettingsFile | undefined> {
  const path = flagValue("--config", host.args) ?? (process.env.TERTULIA_CONFIG || undefined);
  if (path === undefined) return undefined;
  const { readSettingsFile } = await import("./platform/settings-file.ts");
  return readSettingsFile(path, (await import("./protocol/reference-messages.ts")).roles);
}

/** Prints an error in one line. @returns the exit code */
async function report(error: unknown): Promise<1 | 2> {
  const isJson = optionsOf(host.args).includes("--json");
  return (await calledCommand()).reportTo(caller, error, isJson);
}

const program = new Command("tertulia")
  .version(ownVersion(), "-V, --version", text("help.version"))
  .helpOption("-h, --help", text("help.help"))
  .helpCommand(false)
  .option("--lang <language>", text("flag.lang"))
  .configureHelp({ styleTitle: helpTitles(text) })
  .configureOutput({ outputError: () => {} })
  .exitOverride()
  .hook("preSubcommand", async (_program, command) => {
    (await calledCommand()).defineCalled(command, caller);
  });
program.helpInformation = () => rootHelp(text);
const clientRows = clientCommands.filter(({ parent }) => parent === undefined);
const names = [...groups, ...[...processCommands, ...clientRows].map(({ name }) => name), "config"];
for (const name of names) program.command(name);

/**
 * Returns the called command, such as `tertulia send`. The message for a usage error points to the
 * help of this command.
 */
function askedCommand(): string {
  const known = host.args.find((arg) => names.includes(arg));
  return known === undefined ? "tertulia" : `tertulia ${known}`;
}

try {
  if (asked !== undefined && languageOf(asked) === undefined) {
    throw new Problem(text("problem.lang", { value: asked }), 2);
  }
  await program.parseAsync(host.args, { from: "user" });
} catch (error) {
  if (!isCommanderError(error)) {
    host.endWith(await report(error));
  } else if (error.exitCode !== 0) {
    const sentence = usageSentence(error, text, askedCommand());
    host.endWith(sentence === undefined ? 2 : await report(new Problem(sentence, 2)));
  }
}
