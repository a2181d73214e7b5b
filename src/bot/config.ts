import { join } from "node:path";
import { serverKey } from "../platform/curve.ts";
import { withKey } from "../platform/endpoint.ts";
import { Problem } from "../platform/problem.ts";
import { integer, type Settings } from "../platform/settings.ts";
import { parseChannelName, parseUserName } from "../protocol/ids.ts";

type FlagName = "rate" | "burst" | "pause" | "channels" | "count" | "seed" | "name";

/** Flags of the bot that are not settings. */
export type BotFlags = Readonly<Partial<Record<FlagName, string>>>;

export type BotConfig = ReturnType<typeof botConfig>;

/** @throws Problem (exit code 2) that names the wrong flag or setting */
export function botConfig(settings: Settings, flags: BotFlags) {
  const number = (flag: FlagName, fallback: number, most: number) =>
    parse(flag, flags[flag] ?? String(fallback), integer(0, most));
  const { channels, name, seed } = flags;
  const key = serverKey(settings);
  const channelsOf = (text: string) => text.split(",").map((item) => parseChannelName(item));
  return {
    brokers: withKey(settings.get("broker"), key),
    proxies: withKey(settings.get("proxy"), key),
    reference: withKey(settings.get("reference"), key),
    /** The folder with the slots of all bots. */
    slots: join(settings.get("data"), "bots"),
    name: name === undefined ? undefined : parse("name", name, (text) => parseUserName(text)),
    /**
     * The file with the account's password; if undefined, the bot creates a password of its own.
     */
    passwordFile: settings.optional("passwordFile"),
    invitation: settings.optional("invitation"),
    /** Messages per second within a burst; 0 for no limit. */
    rate: number("rate", 0, 1_000_000),
    /** Number of messages before each pause. */
    burst: Math.max(1, number("burst", 10, 1_000_000)),
    pauseMs: number("pause", 2_000, 3_600_000),
    /** The channels to write to; undefined for all channels. */
    channels: channels === undefined ? undefined : parse("channels", channels, channelsOf),
    /** Number of messages after which the bot stops; 0 for no limit. */
    count: number("count", 0, Number.MAX_SAFE_INTEGER),
    seed: seed === undefined ? undefined : number("seed", 0, 2 ** 32 - 1),
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
