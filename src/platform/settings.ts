import { isIP } from "node:net";
import { userInfo } from "node:os";
import { plainText } from "../protocol/plain-text.ts";
import type { LogLevel } from "./log.ts";
import { advertisedPlace, boundEndpoint, endpoints } from "./parse-endpoint.ts";
import { engineAddress } from "./parse-engine.ts";
import { redisAddress } from "./parse-redis.ts";
import { Problem } from "./problem.ts";

/** The source of a setting's value. */
export type Source = "flag" | "environment" | "file" | "default";

/** How the help names a setting's value, and how the value's text is parsed. */
interface Kind<T> {
  readonly value: string;
  parse(text: string): T;
}

interface Row<T> extends Kind<T> {
  readonly env: `TERTULIA_${string}`;
  /** The default as text; undefined if the setting has no default. */
  readonly fallback: string | undefined;
}

function row<T>(env: Row<T>["env"], kind: Kind<T>, fallback?: string): Row<T> {
  return { env, fallback, ...kind };
}

const text = (value: string): Kind<string> => ({ value, parse: (said) => said });
const path = (value: string): Kind<string> => ({ value, parse: place });
const number = (value: string, least: number, most: number): Kind<number> => ({
  value,
  parse: integer(least, most),
});

/**
 * Parses a path. An empty path is refused: it comes from an unset shell variable, and was not meant
 * as `.`.
 */
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

const yesOrNo: Kind<boolean> = {
  value: "yes|no",
  parse: (said) => /true|1|yes/.test(oneOf("true", "false", "1", "0", "yes", "no")(said)),
};

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

/** Parses a list of IP addresses and networks, such as `127.0.0.1,10.0.0.0/8`. */
function addresses(value: string): readonly string[] {
  const list = value.split(",").map((one) => one.trim());
  const wrong = list.find((one) => {
    const [address = "", bits = "0", ...more] = one.split("/");
    const most = isIP(address) === 6 ? 128 : 32;
    return isIP(address) === 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > most || more.length > 0;
  });
  if (wrong === undefined) return list;
  throw new Error(`addresses or networks are wanted, and "${wrong}" is neither`);
}

const endpointList = { value: "endpoints", parse: endpoints };
const boundPlace = { value: "endpoint", parse: boundEndpoint };
const local = "tcp://127.0.0.1";

/** An address that may have a password by mistake, so no message repeats it. */
function secretAddress<T>(parse: (text: string) => T): Kind<T> {
  const parseUnsaid = (said: string) => {
    try {
      return parse(said);
    } catch (error) {
      throw error instanceof Problem ? error : new UnsaidError((error as Error).message);
    }
  };
  return { value: "address", parse: parseUnsaid };
}

/** Says what is wrong with a text that no message may repeat. */
class UnsaidError extends Error {}

/** All settings of processes. Each has a flag of the same name and an environment variable. */
export const rows = {
  config: row("TERTULIA_CONFIG", path("file")),
  broker: row("TERTULIA_BROKER", endpointList, `${local}:5555`),
  brokerBack: row("TERTULIA_BROKER_BACK", endpointList, `${local}:5556`),
  proxyIn: row("TERTULIA_PROXY_IN", endpointList, `${local}:5557`),
  proxy: row("TERTULIA_PROXY", endpointList, `${local}:5558`),
  reference: row("TERTULIA_REFERENCE", endpointList, `${local}:5559`),
  game: row("TERTULIA_GAME", endpointList, `${local}:5561`),
  front: row("TERTULIA_FRONT", boundPlace),
  back: row("TERTULIA_BACK", boundPlace),
  bind: row("TERTULIA_BIND", boundPlace),
  metrics: row("TERTULIA_METRICS", boundPlace),
  mqtt: row("TERTULIA_MQTT", boundPlace),
  http: row("TERTULIA_HTTP", boundPlace, "tcp://127.0.0.1:8080"),
  trustedProxies: row("TERTULIA_TRUSTED_PROXIES", { value: "addresses", parse: addresses }),
  gatewayKeyFile: row("TERTULIA_GATEWAY_KEY_FILE", path("file")),
  advertise: row("TERTULIA_ADVERTISE", { value: "host", parse: advertisedPlace }),
  data: row("TERTULIA_DATA", path("folder"), "./data"),
  auth: row(
    "TERTULIA_AUTH",
    { value: "mode", parse: oneOf<"open" | "required">("open", "required") },
    "open",
  ),
  secretFile: row("TERTULIA_SECRET_FILE", path("file")),
  cluster: row("TERTULIA_CLUSTER", { value: "name", parse: clusterName }, "tertulia"),
  curve: row("TERTULIA_CURVE", yesOrNo, "false"),
  serverKeyFile: row("TERTULIA_SERVER_KEY_FILE", path("file")),
  userRate: row("TERTULIA_USER_RATE", number("count", 0, 1_000_000), "20"),
  connectionRate: row("TERTULIA_CONNECTION_RATE", number("count", 0, 1_000_000), "1000"),
  steps: row("TERTULIA_STEPS", number("count", 0, 100_000), "16000"),
  insecure: row("TERTULIA_INSECURE", yesOrNo, "false"),
  guestServers: row("TERTULIA_GUEST_SERVERS", yesOrNo, "false"),
  leaveOnStop: row("TERTULIA_LEAVE_ON_STOP", yesOrNo, "false"),
  keepPublications: row("TERTULIA_KEEP_PUBLICATIONS", number("count", 1, 10_000_000), "100000"),
  keepMessages: row("TERTULIA_KEEP_MESSAGES", number("count", 1, 10_000_000), "100000"),
  keepLogins: row("TERTULIA_KEEP_LOGINS", number("count", 1, 10_000), "100"),
  checkpointBytes: row(
    "TERTULIA_CHECKPOINT_BYTES",
    number("bytes", 4_096, 1_073_741_824),
    "67108864",
  ),
  engine: row("TERTULIA_ENGINE", secretAddress(engineAddress)),
  enginePasswordFile: row("TERTULIA_ENGINE_PASSWORD_FILE", path("file")),
  redis: row("TERTULIA_REDIS", secretAddress(redisAddress)),
  redisPasswordFile: row("TERTULIA_REDIS_PASSWORD_FILE", path("file")),
  passwordFile: row("TERTULIA_PASSWORD_FILE", path("file")),
  keyFile: row("TERTULIA_KEY_FILE", path("file")),
  invitation: row("TERTULIA_INVITATION", text("text")),
  user: row("TERTULIA_USER", text("name")),
  lang: row("TERTULIA_LANG", text("language")),
  logLevel: row(
    "TERTULIA_LOG_LEVEL",
    { value: "level", parse: oneOf<LogLevel>("debug", "info", "warn", "error", "silent") },
    "info",
  ),
} as const;

export type SettingName = keyof typeof rows;
type Value<Name extends SettingName> = ReturnType<(typeof rows)[Name]["parse"]>;

/** The texts of settings, as a settings file gives them. */
export type SettingValues = Readonly<Partial<Record<SettingName, string>>>;

/**
 * Looks up settings: a flag overrides the environment, the environment overrides the settings file,
 * and the file overrides the default.
 */
export class Settings {
  readonly #flags: Readonly<Record<string, unknown>>;
  readonly #env: NodeJS.ProcessEnv;
  readonly #file: SettingValues;

  constructor(
    flags: Readonly<Record<string, unknown>>,
    env: NodeJS.ProcessEnv,
    file: SettingValues = {},
  ) {
    this.#flags = flags;
    this.#env = env;
    this.#file = file;
  }

  /**
   * The cluster's secret from the environment. The secret has neither a row nor a flag, so that no
   * list of settings shows it.
   */
  get secretText(): string | undefined {
    return this.#env.TERTULIA_SECRET || undefined;
  }

  /** The engine's password from the environment. Like the secret, it has neither a row nor a flag. */
  get enginePasswordText(): string | undefined {
    return this.#env.TERTULIA_ENGINE_PASSWORD || undefined;
  }

  /** The password of Redis from the environment. It has neither a row nor a flag, either. */
  get redisPasswordText(): string | undefined {
    return this.#env.TERTULIA_REDIS_PASSWORD || undefined;
  }

  /** Returns the text of a setting, and its source. */
  lookUp(name: SettingName): { text: string | undefined; source: Source } {
    const flag = this.#flags[name];
    if (flag !== undefined) return { text: plainText(String(flag)), source: "flag" };
    const { env, fallback } = rows[name];
    // A settings file from Windows may leave a CR after each value.
    const value = plainText(this.#env[env] ?? "");
    if (value !== "") return { text: value, source: "environment" };
    const listed = this.#file[name];
    if (listed !== undefined) return { text: listed, source: "file" };
    return { text: fallback, source: "default" };
  }

  /** Returns the settings whose value is from the settings file, as environment variables. */
  fromFile(): Record<string, string> {
    const names = Object.keys(this.#file) as SettingName[];
    return Object.fromEntries(
      names.flatMap((name) => {
        const { text = "", source } = this.lookUp(name);
        return source === "file" ? [[rows[name].env, text]] : [];
      }),
    );
  }

  /**
   * Returns those of these settings that have a value, as environment variables.
   * @throws Problem as `optional`
   */
  asEnvironment(names: readonly SettingName[]): Record<string, string> {
    return Object.fromEntries(
      names.flatMap((name) => {
        if (this.optional(name) === undefined) return [];
        return [[rows[name].env, this.lookUp(name).text ?? ""]];
      }),
    );
  }

  /**
   * Returns a setting's value; undefined if it is not set.
   * @throws Problem (exit code 2) that names the setting, if its value is invalid
   */
  optional<Name extends SettingName>(name: Name): Value<Name> | undefined {
    const { text, source } = this.lookUp(name);
    if (text === undefined) return undefined;
    const where = source === "environment" ? rows[name].env : flagOf(name);
    return parsed(where, text, rows[name].parse as (text: string) => Value<Name>);
  }

  /**
   * Returns a setting's value.
   * @throws Problem (exit code 2) that names the setting, if it is missing or invalid
   */
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
 * Parses a flag of one command, which is not a setting.
 * @throws Problem (exit code 2) that names the flag, if its value is invalid
 */
export function readFlag<T>(flag: string, text: string, parser: (text: string) => T): T {
  return parsed(flagOf(flag), text, parser);
}

/**
 * Parses the text of a setting.
 * @param where the flag, the variable or the place in a file that has the text
 * @throws Problem (exit code 2) that names `where`, if the text is invalid
 */
export function parsed<T>(where: string, text: string, parser: (text: string) => T): T {
  try {
    return parser(text);
  } catch (error) {
    // A parser that throws a whole sentence has a reason not to repeat the text.
    if (error instanceof Problem) throw error;
    const what = error instanceof UnsaidError ? "the address" : `"${text}"`;
    throw new Problem(`${where}: ${what} won't do: ${(error as Error).message}.`, 2);
  }
}

/**
 * Returns the name that the system gives to the user who runs the process; undefined if it has
 * none.
 */
export function loginName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}
