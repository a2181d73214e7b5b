import { userInfo } from "node:os";
import { plainText } from "../protocol/plain-text.ts";
import { type LogLevel, logLevels } from "./log.ts";
import { advertisedPlace, boundEndpoint, endpoints } from "./parse-endpoint.ts";
import { Problem } from "./problem.ts";

/** Where a setting's value came from. */
export type Source = "flag" | "environment" | "default";

interface Row<T> {
  readonly env: `TERTULIA_${string}`;
  /** The default, as one would write it; undefined for none. */
  readonly fallback: string | undefined;
  readonly value: string;
  readonly help: string;
  parse(text: string): T;
}

function row<T>(
  env: Row<T>["env"],
  fallback: string | undefined,
  value: string,
  help: string,
  parse: (text: string) => T,
): Row<T> {
  return { env, fallback, value, help, parse };
}

const text = (value: string): string => value;

/** A path. An empty one is a shell's variable that is not set: the folder at hand is not meant. */
function place(value: string): string {
  if (value.trim() === "") throw new Error("it is empty");
  return value;
}

function oneOf<T extends string>(...values: readonly T[]): (value: string) => T {
  return (value) => {
    const found = values.find((candidate) => candidate === value);
    if (found === undefined) throw new Error(`one of ${values.join(", ")} is wanted`);
    return found;
  };
}

function yesOrNo(value: string): boolean {
  return oneOf("true", "false", "1", "0", "yes", "no")(value).match(/true|1|yes/) !== null;
}

export function integer(least: number, most: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!/^-?\d+$/.test(value) || number < least || number > most) {
      throw new Error(`a whole number from ${least} to ${most} is wanted`);
    }
    return number;
  };
}

function clusterName(value: string): string {
  if (/^[\w.-]{1,64}$/.test(value)) return value;
  throw new Error("1 to 64 letters, digits, `_`, `-` or `.` are wanted");
}

const local = "tcp://127.0.0.1";

/** Every setting that a process can have: a flag of the same name, an environment variable. */
export const rows = {
  broker: row("TERTULIA_BROKER", `${local}:5555`, "endpoints", "brokers, for clients", endpoints),
  brokerBack: row(
    "TERTULIA_BROKER_BACK",
    `${local}:5556`,
    "endpoints",
    "brokers, for servers",
    endpoints,
  ),
  proxyIn: row("TERTULIA_PROXY_IN", `${local}:5557`, "endpoints", "proxies, to publish", endpoints),
  proxy: row("TERTULIA_PROXY", `${local}:5558`, "endpoints", "proxies, to subscribe", endpoints),
  reference: row("TERTULIA_REFERENCE", `${local}:5559`, "endpoints", "the reference", endpoints),
  front: row("TERTULIA_FRONT", undefined, "endpoint", "where the front is bound", boundEndpoint),
  back: row("TERTULIA_BACK", undefined, "endpoint", "where the back is bound", boundEndpoint),
  bind: row("TERTULIA_BIND", undefined, "endpoint", "where the process is bound", boundEndpoint),
  advertise: row(
    "TERTULIA_ADVERTISE",
    undefined,
    "host",
    "the host, or the whole endpoint, at which others reach this process",
    advertisedPlace,
  ),
  data: row("TERTULIA_DATA", "./data", "folder", "the data folder", place),
  auth: row(
    "TERTULIA_AUTH",
    "open",
    "mode",
    "open: names only; required: accounts with passwords",
    oneOf<"open" | "required">("open", "required"),
  ),
  secretFile: row(
    "TERTULIA_SECRET_FILE",
    undefined,
    "file",
    "the cluster's secret; unless told, `secret` in the data folder, and made there",
    place,
  ),
  cluster: row("TERTULIA_CLUSTER", "tertulia", "name", "the cluster's name", clusterName),
  curve: row(
    "TERTULIA_CURVE",
    "false",
    "yes|no",
    "encrypt all connections, with keys that the secret tells",
    yesOrNo,
  ),
  serverKeyFile: row(
    "TERTULIA_SERVER_KEY_FILE",
    undefined,
    "file",
    "the cluster's public key, for endpoints without one",
    place,
  ),
  userRate: row(
    "TERTULIA_USER_RATE",
    "20",
    "count",
    "messages a second of one user at one server where accounts are, five times as many at once; 0: any",
    integer(0, 1_000_000),
  ),
  connectionRate: row(
    "TERTULIA_CONNECTION_RATE",
    "1000",
    "count",
    "requests a second of one connection at one server, five times as many at once; 0: any",
    integer(0, 1_000_000),
  ),
  insecure: row(
    "TERTULIA_INSECURE",
    "false",
    "yes|no",
    "allow an open or plain cluster beyond this machine",
    yesOrNo,
  ),
  guestServers: row(
    "TERTULIA_GUEST_SERVERS",
    "false",
    "yes|no",
    "let servers of other authors, which are no members, serve at the broker and publish",
    yesOrNo,
  ),
  leaveOnStop: row(
    "TERTULIA_LEAVE_ON_STOP",
    "false",
    "yes|no",
    "leave the view when stopped",
    yesOrNo,
  ),
  keepPublications: row(
    "TERTULIA_KEEP_PUBLICATIONS",
    "100000",
    "count",
    "newest publications kept of a channel; the same on all servers",
    integer(1, 10_000_000),
  ),
  keepMessages: row(
    "TERTULIA_KEEP_MESSAGES",
    "100000",
    "count",
    "newest private messages kept of a user; the same on all servers",
    integer(1, 10_000_000),
  ),
  keepLogins: row(
    "TERTULIA_KEEP_LOGINS",
    "100",
    "count",
    "newest login times kept of a user; the same on all servers",
    integer(1, 10_000),
  ),
  checkpointBytes: row(
    "TERTULIA_CHECKPOINT_BYTES",
    "67108864",
    "bytes",
    "journal after which a server saves its state; twice as much stays for peers that are behind",
    integer(4_096, 1_073_741_824),
  ),
  passwordFile: row(
    "TERTULIA_PASSWORD_FILE",
    undefined,
    "file",
    "whose first line is the user's password",
    place,
  ),
  invitation: row(
    "TERTULIA_INVITATION",
    undefined,
    "text",
    "what an administrator gave, where registration wants one",
    text,
  ),
  user: row("TERTULIA_USER", undefined, "name", "the user's name", text),
  lang: row("TERTULIA_LANG", undefined, "language", "en or pt-br; else by LANG", text),
  logLevel: row(
    "TERTULIA_LOG_LEVEL",
    "info",
    "level",
    logLevels.join(", "),
    oneOf<LogLevel>(...logLevels),
  ),
} as const;

export type SettingName = keyof typeof rows;
type Value<Name extends SettingName> = ReturnType<(typeof rows)[Name]["parse"]>;

/** Flags over environment over defaults. */
export class Settings {
  readonly #flags: Readonly<Record<string, unknown>>;
  readonly #env: NodeJS.ProcessEnv;

  constructor(flags: Readonly<Record<string, unknown>>, env: NodeJS.ProcessEnv) {
    this.#flags = flags;
    this.#env = env;
  }

  /** The cluster's secret itself: no row and no flag, so that no list of settings shows it. */
  get secretText(): string | undefined {
    return this.#env.TERTULIA_SECRET || undefined;
  }

  /** The text of a setting and where it came from. */
  lookUp(name: SettingName): { text: string | undefined; source: Source } {
    const flag = this.#flags[name];
    if (flag !== undefined) return { text: plainText(String(flag)), source: "flag" };
    const { env, fallback } = rows[name];
    // A settings file written on Windows leaves a CR behind each value.
    const value = plainText(this.#env[env] ?? "");
    if (value !== "") return { text: value, source: "environment" };
    return { text: fallback, source: "default" };
  }

  /** @throws Problem (exit code 2) that names the setting, if its value is wrong */
  optional<Name extends SettingName>(name: Name): Value<Name> | undefined {
    const { text, source } = this.lookUp(name);
    if (text === undefined) return undefined;
    try {
      return rows[name].parse(text) as Value<Name>;
    } catch (error) {
      const where = source === "environment" ? rows[name].env : flagOf(name);
      throw new Problem(`${where}: "${text}" won't do: ${(error as Error).message}.`, 2);
    }
  }

  /** @throws Problem (exit code 2) that names the setting, if it is missing or wrong */
  get<Name extends SettingName>(name: Name): Value<Name> {
    const value = this.optional(name);
    if (value !== undefined) return value;
    throw new Problem(`${flagOf(name)} or ${rows[name].env} is missing.`, 2);
  }
}

export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/**
 * A command's own flag, which is no setting.
 * @throws Problem (exit code 2) that names it, if its value is wrong
 */
export function readFlag<T>(flag: string, text: string, parser: (text: string) => T): T {
  try {
    return parser(text);
  } catch (error) {
    throw new Problem(`${flagOf(flag)}: "${text}" won't do: ${(error as Error).message}.`, 2);
  }
}

/** The name of whoever runs the process, for commands that need a user. */
export function loginName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}
