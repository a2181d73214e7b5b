import { type Command, Option } from "commander";
import { flagOf, rows, type SettingName } from "../../platform/settings.ts";
import type { TextKey } from "../../texts/en.ts";
import type { Text } from "../../texts/texts.ts";

export type Tail<Prefix extends string, Key> = Key extends `${Prefix}.${infer Name}` ? Name : never;

/** A flag that is not a setting, such as `limit <n>`. A flag without `value` is a switch. */
export interface Flag {
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

/** Settings without a value: giving the flag turns the setting on. */
const switches: readonly SettingName[] = ["curve", "guestServers", "insecure", "leaveOnStop"];

/** Gives a command its arguments, flags and help, with texts from the catalogue. */
export function define(command: Command, text: Text, definition: Definition): void {
  const { args = [], settings = [], flags = [], example } = definition;
  const help = definition.help ?? definition.name;
  command.description(text(`help.${help}`));
  for (const argument of args) {
    const key = argument.replace(/[[\].]/g, "") as Tail<"argument", TextKey>;
    const shape = argument.startsWith("[") ? argument : `<${argument}>`;
    command.argument(shape, text(`argument.${key}`));
  }
  for (const setting of new Set([...settings, "config" as const])) {
    command.addOption(settingOption(setting, text));
  }
  for (const { name: flag, value, fallback, help: other = flag } of flags) {
    const words = text(`flag.${other}`);
    const told = fallback === undefined ? words : `${words} (${inDefault(text, fallback)})`;
    command.option(value === undefined ? flagOf(flag) : `${flagOf(flag)} <${value}>`, told);
  }
  command
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
