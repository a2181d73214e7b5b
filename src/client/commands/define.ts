import { type Command, CommanderError, Option } from "commander";
import { flagOf, rows, type SettingName } from "../../platform/settings.ts";
import type { TextKey } from "../../texts/en.ts";
import type { Text } from "../../texts/texts.ts";

type Tail<Prefix extends string, Key> = Key extends `${Prefix}.${infer Name}` ? Name : never;

/** A flag that is not a setting, such as `limit <n>`. A flag without `value` is a switch. */
interface Flag {
  readonly name: Tail<"flag", TextKey>;
  readonly value?: string;
  readonly fallback?: string;
  /** Name of the text that explains the flag; by default, the flag's name. */
  readonly help?: Tail<"flag", TextKey>;
}

type HelpKey = Exclude<Tail<"help", TextKey>, "default">;

/** A command. `help` is the name of its help text; by default, the command's name. */
export type Definition = Described &
  (
    | { readonly name: HelpKey; readonly help?: never }
    | { readonly name: string; readonly help: HelpKey }
  );

interface Described {
  /** `NAME`, or `[ROLE]` for an optional argument. */
  readonly args?: readonly string[];
  readonly settings?: readonly SettingName[];
  readonly flags?: readonly Flag[];
  readonly example: string;
}

export const jsonFlag: Flag = { name: "json" };
export const timeoutFlag: Flag = { name: "timeout", value: "seconds", fallback: "10" };

/** Settings without a value: giving the flag turns the setting on. */
const switches: readonly SettingName[] = ["curve", "guestServers", "insecure", "leaveOnStop"];

/** Adds a command to `parent`, with help texts from the catalogue. */
export function define(parent: Command, text: Text, definition: Definition): Command {
  const { name, args = [], settings = [], flags = [], example } = definition;
  const help = definition.help ?? definition.name;
  const command = parent.command(name).description(text(`help.${help}`));
  for (const argument of args) {
    const key = argument.replace(/[[\]]/g, "") as Tail<"argument", TextKey>;
    const shape = argument.startsWith("[") ? argument : `<${argument}>`;
    command.argument(shape, text(`argument.${key}`));
  }
  for (const setting of settings) command.addOption(settingOption(setting, text));
  for (const { name: flag, value, fallback, help: other = flag } of flags) {
    const words = text(`flag.${other}`);
    const told = fallback === undefined ? words : `${words} (${inDefault(text, fallback)})`;
    command.option(value === undefined ? flagOf(flag) : `${flagOf(flag)} <${value}>`, told);
  }
  return command
    .helpOption("-h, --help", text("help.help"))
    .addHelpText("after", `\n${text("help.example")}\n  $ ${example}`);
}

function settingOption(setting: SettingName, text: Text): Option {
  const { env, fallback, value } = rows[setting];
  const isSwitch = switches.includes(setting);
  const origins = [env, ...(isSwitch || !fallback ? [] : [inDefault(text, fallback)])];
  const words = `${text(`flag.${setting}`)} (${origins.join("; ")})`;
  return new Option(isSwitch ? flagOf(setting) : `${flagOf(setting)} <${value}>`, words);
}

function inDefault(text: Text, value: string): string {
  return text("help.default", { value });
}

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
    ["users, channels", "help.usersAndChannels"],
    ["create CHANNEL", "help.create"],
    ["send TARGET TEXT", "help.send"],
    ["history TARGET", "help.history"],
    ["listen TARGET", "help.listen"],
    ["time", "help.time"],
    ["status", "help.status"],
    ["health [ROLE]", "help.health"],
    ["accounts ACTION", "help.accounts"],
    ["servers remove NAME", "help.remove"],
    ["verify FOLDER", "help.verify"],
    ["config", "help.config"],
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
 * @returns the value of `--lang`, read before commander parses the arguments, because the help
 * depends on it
 */
export function askedLanguage(args: readonly string[]): string | undefined {
  const before = optionsOf(args);
  const at = before.findLastIndex((arg) => arg === "--lang" || arg.startsWith("--lang="));
  const flag = before[at];
  return flag === "--lang" ? before[at + 1] : flag?.slice("--lang=".length);
}
