import { join } from "node:path";
import { serverKey } from "../platform/curve.ts";
import { withKey } from "../platform/endpoint.ts";
import type { LogLevel } from "../platform/log.ts";
import { Problem } from "../platform/problem.ts";
import { integer, type Settings } from "../platform/settings.ts";
import {
  type ChannelName,
  parseChannelName,
  parseUserName,
  type UserName,
} from "../protocol/ids.ts";

/** A bot's own flags, as the command line gives them. */
export interface BotFlags {
  readonly rate?: string;
  readonly burst?: string;
  readonly pause?: string;
  readonly channels?: string;
  readonly count?: string;
  readonly seed?: string;
  readonly name?: string;
}

export interface BotConfig {
  readonly brokers: readonly string[];
  readonly proxies: readonly string[];
  readonly reference: readonly string[];
  /** Folder of all bots' slots. */
  readonly slots: string;
  readonly name: UserName | undefined;
  /** Of the account's password, where that isn't the bot's own. */
  readonly passwordFile: string | undefined;
  readonly invitation: string | undefined;
  /** Messages a second within a burst; 0 for as fast as it goes. */
  readonly rate: number;
  /** Messages before each pause. */
  readonly burst: number;
  readonly pauseMs: number;
  /** The channels to write to; undefined for all that there are. */
  readonly channels: readonly ChannelName[] | undefined;
  /** Messages after which the bot stops; 0 for never. */
  readonly count: number;
  readonly seed: number | undefined;
  readonly logLevel: LogLevel;
}

/** @throws Problem (exit code 2) that names the flag */
export function botConfig(settings: Settings, flags: BotFlags): BotConfig {
  const number = (flag: keyof BotFlags, fallback: number, most: number) =>
    parse(flag, flags[flag] ?? String(fallback), integer(0, most));
  const { channels, name } = flags;
  const key = serverKey(settings);
  return {
    brokers: withKey(settings.get("broker"), key),
    proxies: withKey(settings.get("proxy"), key),
    reference: withKey(settings.get("reference"), key),
    slots: join(settings.get("data"), "bots"),
    name: name === undefined ? undefined : parse("name", name, (text) => parseUserName(text)),
    passwordFile: settings.optional("passwordFile"),
    invitation: settings.optional("invitation"),
    rate: number("rate", 0, 1_000_000),
    burst: Math.max(1, number("burst", 10, 1_000_000)),
    pauseMs: number("pause", 2_000, 3_600_000),
    channels:
      channels === undefined
        ? undefined
        : parse("channels", channels, (text) =>
            text.split(",").map((item) => parseChannelName(item)),
          ),
    count: number("count", 0, Number.MAX_SAFE_INTEGER),
    seed: flags.seed === undefined ? undefined : number("seed", 0, 2 ** 32 - 1),
    logLevel: settings.get("logLevel"),
  };
}

function parse<T>(flag: string, text: string, parser: (text: string) => T): T {
  try {
    return parser(text);
  } catch (error) {
    throw new Problem(`--${flag}: "${text}" won't do: ${(error as Error).message}`, 2);
  }
}
