import { join } from "node:path";
import { serverKey } from "../platform/curve.ts";
import { withKey } from "../platform/endpoint.ts";
import { Problem } from "../platform/problem.ts";
import { type SecretSource, secretSource } from "../platform/secret.ts";
import { loginName, type Settings } from "../platform/settings.ts";
import { stateFolder } from "../platform/state-folder.ts";
import { parseUserName, type UserName } from "../protocol/ids.ts";
import type { Text } from "../texts/texts.ts";
import { type SavedSession, SessionFiles } from "./session-files.ts";

/** Flags of every client command that are not settings. */
export interface ClientFlags {
  readonly json?: boolean;
  readonly timeout?: string;
}

export interface ClientConfig {
  readonly brokers: readonly string[];
  readonly proxies: readonly string[];
  readonly reference: readonly string[];
  /** Where game servers accept players. */
  readonly games: readonly string[];
  /** The user given by flag or environment. */
  readonly user: UserName | undefined;
  /** The login name of the process owner, if it is a valid user name. */
  readonly loginName: UserName | undefined;
  /** Where the cluster's secret is, for the commands of an operator. */
  readonly secret: SecretSource;
  readonly timeoutMs: number;
  readonly json: boolean;
  /** The folder for sessions and chats; undefined if the person has no such folder. */
  readonly keptIn: string | undefined;
  /**
   * The saved log-in of `user` or, without `user`, of the user who logged in last; undefined if
   * none is saved.
   */
  readonly session: SavedSession | undefined;
  readonly sessions: SessionFiles;
  readonly passwordFile: string | undefined;
  readonly invitation: string | undefined;
}

const defaultTimeoutSeconds = 10;

/** @throws Problem (exit code 2) that names the wrong setting or flag */
export function clientConfig(settings: Settings, flags: ClientFlags, text: Text): ClientConfig {
  const key = serverKey(settings);
  const brokers = withKey(settings.get("broker"), key);
  const user = userOf(settings.optional("user"), text);
  const keptIn = stateFolder();
  const sessions = new SessionFiles(keptIn && join(keptIn, "sessions"), brokers);
  return {
    brokers,
    proxies: withKey(settings.get("proxy"), key),
    reference: withKey(settings.get("reference"), key),
    games: withKey(settings.get("game"), key),
    user,
    keptIn,
    session: sessions.read(user),
    sessions,
    passwordFile: settings.optional("passwordFile"),
    invitation: settings.optional("invitation"),
    loginName: validName(loginName()),
    secret: secretSource(settings),
    timeoutMs: timeoutMs(flags.timeout, text),
    json: flags.json === true,
  };
}

function timeoutMs(value: string | undefined, text: Text): number {
  if (value === undefined) return defaultTimeoutSeconds * 1_000;
  const seconds = Number(value);
  if (value.trim() === "" || !(seconds >= 0.1 && seconds <= 3_600)) {
    throw new Problem(text("problem.timeout", { value }), 2);
  }
  return seconds * 1_000;
}

function userOf(name: string | undefined, text: Text): UserName | undefined {
  if (name === undefined) return undefined;
  const valid = validName(name);
  if (valid === undefined) throw new Problem(text("problem.name", { name }), 2);
  return valid;
}

function validName(name: string | undefined): UserName | undefined {
  try {
    return parseUserName(name);
  } catch {
    return undefined;
  }
}
