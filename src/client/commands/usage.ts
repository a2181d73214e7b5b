import { CommanderError } from "commander";
import type { TextKey } from "../../texts/en.ts";
import type { Text } from "../../texts/texts.ts";
import type { Tail } from "./define.ts";

/** Translates the titles of a command's help into the person's language. */
export function helpTitles(text: Text): (title: string) => string {
  const titles: Readonly<Record<string, string>> = {
    "Usage:": text("help.usage"),
    "Arguments:": text("help.arguments"),
    "Options:": text("help.options"),
    "Commands:": text("help.commands"),
  };
  return (title) => titles[title] ?? title;
}

const usageKeys: Readonly<Record<string, Exclude<Tail<"usage", TextKey>, "seeHelp">>> = {
  "commander.unknownOption": "unknownOption",
  "commander.unknownCommand": "unknownCommand",
  "commander.missingArgument": "missingArgument",
  "commander.optionMissingArgument": "optionMissingArgument",
  "commander.excessArguments": "excessArguments",
};

/**
 * @returns a sentence that explains a usage error; undefined if commander has printed a help or the
 * version
 */
export function usageSentence(
  error: CommanderError,
  text: Text,
  asked: string,
): string | undefined {
  // `commander.help`: a group was called without a subcommand, so commander has printed the group's
  // help.
  if (error.exitCode === 0 || error.code === "commander.help") return undefined;
  const key = usageKeys[error.code];
  // Matches up to the last quote, because the argument may contain apostrophes.
  const [, what = ""] = /'(.*)'/.exec(error.message) ?? [];
  const [, near] = /Did you mean (?:one of )?([^)]*?)\??\)/.exec(error.message) ?? [];
  const said = key === undefined ? error.message : text(`usage.${key}`, { what });
  const hint = near === undefined ? "" : ` ${text("usage.didYouMean", { what: near })}`;
  const isText = key === "unknownOption" && near === undefined && asked === "tertulia send";
  const way = isText ? ` ${text("usage.dashText")}` : "";
  return `${said}${hint}${way} ${text("usage.seeHelp", { command: asked })}`;
}

/** The help of `tertulia` itself: one screen of 24 lines. */
export function rootHelp(text: Text): string {
  const lines: readonly (readonly [string, TextKey])[] = [
    ["up", "help.up"],
    ["broker, proxy, reference, server, bot", "help.roles"],
    ["chat, menu", "help.chat"],
    ["login, register, password", "help.loginAndRegister"],
    ["users, channels, hooks", "help.usersAndChannels"],
    ["duel, shop, cards, matches, ranking", "help.shopAndMatches"],
    ["create CHANNEL", "help.create"],
    ["send TARGET TEXT", "help.send"],
    ["history, search, export", "help.historyAndExport"],
    ["listen TARGET", "help.listen"],
    ["time, status, trace ID", "help.statusAndTrace"],
    ["doctor, health [ROLE]", "help.doctorAndHealth"],
    ["accounts ACTION", "help.accounts"],
    ["servers, secret", "help.serversAndSecret"],
    ["backup, restore, migrate, verify", "help.backups"],
    ["config, init HOST...", "help.configAndInit"],
    ["chaos", "help.chaos"],
  ];
  const list = lines.map(([names, key]) => {
    const left = `  ${names}`;
    const [short = ""] = text(key as "help.up").split(/[:;]/);
    return left.length < nameColumns ? left.padEnd(nameColumns) + short : `${left}  ${short}`;
  });
  return [
    `tertulia: ${text("help.tagline")}`,
    "",
    `${text("help.usage")} tertulia COMMAND [--help] [--lang en|pt-br]`,
    "",
    ...list,
    "",
    text("help.more"),
    "",
  ].join("\n");
}

const nameColumns = 25;

export function isCommanderError(error: unknown): error is CommanderError {
  return error instanceof CommanderError;
}

/** @returns the arguments before `--`; arguments after `--` are never options */
export function optionsOf(args: readonly string[]): readonly string[] {
  return args.includes("--") ? args.slice(0, args.indexOf("--")) : args;
}

/**
 * @returns the value of a flag such as `--lang`, read before commander parses the arguments, because
 * the help depends on it
 */
export function flagValue(flag: string, args: readonly string[]): string | undefined {
  const before = optionsOf(args);
  const at = before.findLastIndex((arg) => arg === flag || arg.startsWith(`${flag}=`));
  const found = before[at];
  return found === flag ? before[at + 1] : found?.slice(`${flag}=`.length);
}
