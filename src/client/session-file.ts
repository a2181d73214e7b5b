import { mkdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { isMap } from "../protocol/parse-message.ts";
import { writeJson } from "../storage/json-file.ts";

/** Whose session it is, and its token. */
export interface SavedSession {
  readonly user: string;
  readonly token: string;
}

type Saved = Record<string, { current: string; tokens: Record<string, string> }>;

/** In a person's own folder, which nobody else reads (XDG). */
function sessionsPath(env: NodeJS.ProcessEnv): string {
  const state = env.XDG_STATE_HOME || join(homedir(), ".local", "state");
  return join(state, "tertulia", "sessions.json");
}

function readAll(path: string): Saved {
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    return isMap(value) ? (value as Saved) : {};
  } catch {
    // Without it a person logs in again.
    return {};
  }
}

/** The session with a cluster: that of the user, or of whoever logged in last. */
export function readSession(
  brokers: readonly string[],
  user: string | undefined,
  env: NodeJS.ProcessEnv = process.env,
): SavedSession | undefined {
  const known = readAll(sessionsPath(env))[brokers.join(",")];
  const whose = user ?? known?.current;
  const token = whose === undefined ? undefined : known?.tokens[whose];
  return whose === undefined || token === undefined ? undefined : { user: whose, token };
}

/** Keeps a token for the next process, with mode 0600. */
export async function saveSession(
  brokers: readonly string[],
  token: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  const path = sessionsPath(env);
  const user = subjectOf(token);
  if (user === undefined) return;
  const all = readAll(path);
  const cluster = brokers.join(",");
  const tokens = { ...all[cluster]?.tokens, [user]: token };
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  await writeJson(path, { ...all, [cluster]: { current: user, tokens } }, 0o600);
}

/** Whose token it is; a client has no key to check it with, and need not. */
function subjectOf(token: string): string | undefined {
  try {
    const [, payload = ""] = token.split(".");
    const { sub } = JSON.parse(Buffer.from(payload, "base64url").toString()) as { sub?: unknown };
    return typeof sub === "string" ? sub : undefined;
  } catch {
    return undefined;
  }
}
