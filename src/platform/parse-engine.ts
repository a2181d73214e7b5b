import { Problem } from "./problem.ts";

/** Where an engine is, without its password. */
export interface EngineAddress {
  /** Servers of PostgreSQL. At any time at most one of them is the primary. */
  readonly hosts: readonly EngineHost[];
  readonly user: string;
  readonly database: string;
  readonly schema: string;
  /** Whether connections are encrypted, and whether the host must prove its name. */
  readonly encryption: "disable" | "require" | "verify-full";
}

export interface EngineHost {
  /** A name, an address, or the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
}

const defaultPort = 5432;
const form = "postgres://user@host:port/database is wanted, several hosts separated by commas";

/**
 * Parses the address of an engine, such as `postgres://ana@a:5432,b:5432/chat?schema=chat`.
 * @throws Problem if it has a password, which the message does not repeat
 */
export function engineAddress(text: string): EngineAddress {
  const match = /^postgres(?:ql)?:\/\/(?:([^/?]*)@)?([^@/?]+)\/([^/?]+)(?:\?(.*))?$/.exec(text);
  refusePassword(text, "engine");
  const [, user, hosts = "", database = "", rest = ""] = match ?? [];
  if (match === null) throw new Error(form);
  const { schema = "public", sslmode = "disable", ...more } = parametersOf(rest);
  if (Object.keys(more).length > 0) throw new Error("its parameters are schema and sslmode");
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) {
    throw new Error("a schema has small letters, digits and _");
  }
  if (sslmode !== "disable" && sslmode !== "require" && sslmode !== "verify-full") {
    throw new Error("sslmode is disable, require or verify-full");
  }
  return {
    hosts: hosts.split(",").map(hostOf),
    user: decoded(user || "tertulia"),
    database: decoded(database),
    schema,
    encryption: sslmode,
  };
}

/**
 * A password here would be seen in lists of processes and of settings, so no message repeats it.
 * @param setting which one has the address
 * @throws Problem if the address has a password
 */
export function refusePassword(text: string, setting: "engine" | "redis"): void {
  const [, before = ""] = /^[a-z]+:\/\/(.*)@/.exec(text) ?? [];
  const isParameter = /[?&]password=/.test(text);
  if (!before.includes(":") && !isParameter) return;
  throw new Problem(
    `The address of ${setting === "engine" ? "the engine" : "Redis"} has a password in it, where others ` +
      `can see it: remove it, and name a file with it by TERTULIA_${setting.toUpperCase()}_PASSWORD_FILE.`,
    2,
  );
}

function hostOf(text: string): EngineHost {
  const match = /^(\[[\da-fA-F:.]+\]|[^:[\]]+)(?::(\d{1,5}))?$/.exec(text);
  const [, host = "", port = String(defaultPort)] = match ?? [];
  if (match === null || Number(port) < 1 || Number(port) > 65_535) throw new Error(form);
  return { host: decoded(host.replace(/^\[|\]$/g, "")), port: Number(port) };
}

function parametersOf(text: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(text));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error(form);
  }
}
