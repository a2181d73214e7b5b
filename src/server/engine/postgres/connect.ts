import { Socket } from "node:net";
import pg from "pg";
import type { EngineAddress, EngineHost } from "../../../platform/parse-engine.ts";
import { Problem } from "../../../platform/problem.ts";
import { EngineUnavailable } from "../engine.ts";

/** Where the engine is, and the password that opens it. */
export interface EngineAccess {
  readonly address: EngineAddress;
  readonly password: string | undefined;
}

/** The longest wait for a connection, in milliseconds. */
const connectMs = 2_000;
/**
 * After so many milliseconds without a word, TCP asks whether a connection is there. So networks do not
 * forget those that are seldom used, or this program notices it.
 */
const keepAliveMs = 10_000;
/** A primary that has not answered a question for so many milliseconds counts as lost. */
const primaryAnswerMs = 5_000;

/**
 * What PostgreSQL does for each of our connections. A statement may not run for ever, and a server
 * that was stopped within a transaction must lose its locks. Neither limit is about waiting for the
 * standby, which nothing ends. To compile a statement would take longer than to run it.
 */
const sessionSettings = {
  synchronous_commit: "on",
  statement_timeout: "10s",
  idle_in_transaction_session_timeout: "3s",
  jit: "off",
} as const;

/** Returns what a connection to one of the hosts needs. */
export function connectionOptions({ address, password }: EngineAccess, host: EngineHost) {
  const { user, database, schema, encryption } = address;
  const settings = { ...sessionSettings, search_path: schema };
  const flags = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`);
  return {
    ...{ ...host, user, database, options: flags.join(" ") },
    ...(password === undefined ? {} : { password }),
    ssl: encryption !== "disable" && { rejectUnauthorized: encryption === "verify-full" },
    application_name: "tertulia",
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveMs,
    types: { getTypeParser },
  };
}

/** Counts of this program are below 2^53, so they come as numbers. */
function getTypeParser(oid: number, format?: "text" | "binary") {
  return oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format);
}

/** A connection to the primary, and where it is. */
export interface Primary {
  readonly client: pg.Client;
  readonly host: EngineHost;
  /** Ends the connection, even if the host does not answer. */
  close(): void;
}

/**
 * Asks all hosts at once, because one that is gone may take long, and connects to the one that can be
 * written.
 * @throws Problem if no host can be written, and one says what the operator must put right (K7)
 * @throws EngineUnavailable if no host can be written for another reason
 */
export async function connectPrimary(access: EngineAccess): Promise<Primary> {
  const tries = access.address.hosts.map((host) => connectTo(host, access));
  try {
    const primary = await Promise.any(tries);
    for (const other of tries) {
      other.then(
        (found) => found !== primary && found.close(),
        () => {},
      );
    }
    return primary;
  } catch (error) {
    const { errors } = error as AggregateError;
    const problem = errors.find((one) => one instanceof Problem);
    throw problem ?? new EngineUnavailable(errors.map(({ message }) => message).join("; "));
  }
}

/** @throws Error if the host does not answer, is no primary, or refuses a setting (Problem) */
async function connectTo(host: EngineHost, access: EngineAccess): Promise<Primary> {
  const name = `${host.host}:${host.port}`;
  const socket = new Socket();
  const client = new pg.Client({
    ...connectionOptions(access, host),
    connectionTimeoutMillis: connectMs,
    stream: () => socket,
  });
  // A lost connection is also an error of the statement that waits for it.
  client.on("error", () => {});
  const close = () => void socket.destroy();
  let isPrimary = false;
  try {
    await client.connect();
    isPrimary = await isWritable(client);
  } catch (error) {
    close();
    throw refusalOf(error, access, name) ?? new Error(`${name}: ${(error as Error).message}`);
  }
  if (isPrimary) return { client, host, close };
  close();
  throw new Error(`${name} is not the primary`);
}

export async function isWritable(client: pg.Client): Promise<boolean> {
  const query = {
    name: "writable",
    text: `select not pg_is_in_recovery()
      and current_setting('default_transaction_read_only') = 'off' as writable`,
    query_timeout: primaryAnswerMs,
  };
  const { rows } = await client.query<{ writable: boolean }>(query);
  return rows[0]?.writable === true;
}

/** Makes a commit, for which the primary waits until its standby has confirmed it. */
export const emptyCommit = {
  text: "select pg_logical_emit_message(true, 'tertulia', 'confirm')",
} as const;

/**
 * Returns what the host refuses, if an error says so. The database may be wrong as well as the setting,
 * so this is no wrong use (O7): whoever starts processes again may start this one.
 */
function refusalOf(error: unknown, access: EngineAccess, host: string): Problem | undefined {
  const { code = "", message } = error as Error & { code?: string };
  const { user, database } = access.address;
  // `pg` says this itself if it is asked for a password and has none.
  const kind = message.includes("client password must be") ? "28P01" : code;
  const way = refusals[kind]?.({ user, database, host, hasPassword: !!access.password });
  if (way !== undefined) return new Problem(`${way}.`, 1, { cause: error });
  if (!message.startsWith("The server does not support SSL")) return undefined;
  return new Problem(
    `PostgreSQL at ${host} does not encrypt: configure it to, or leave out sslmode.`,
  );
}

interface Tried {
  readonly user: string;
  readonly database: string;
  readonly host: string;
  readonly hasPassword: boolean;
}

const passwordWay = "set TERTULIA_ENGINE_PASSWORD_FILE to the right one";
const refusedPassword = ({ user, host, hasPassword }: Tried) => {
  const what = hasPassword ? "refuses this password of" : "wants a password of";
  return `PostgreSQL at ${host} ${what} the user ${user}: ${passwordWay}`;
};
const refusedUser = ({ user, host }: Tried) => {
  return `PostgreSQL at ${host} does not let the user ${user} in: create it, or allow it in pg_hba.conf`;
};

/** By the code of PostgreSQL. */
const refusals: Readonly<Record<string, (tried: Tried) => string>> = {
  "28P01": refusedPassword,
  "28000": refusedUser,
  "3D000": ({ database, host }) => {
    return `PostgreSQL at ${host} has no database ${database}: create it, or correct --engine`;
  },
};
