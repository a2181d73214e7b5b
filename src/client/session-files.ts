import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorCode } from "../platform/problem.ts";
import { randomHex } from "../platform/random.ts";
import { isMap } from "../protocol/parse-message.ts";
import { ownerOnly, ownerOnlyFolder } from "../storage/file-modes.ts";
import { subjectOf } from "./session-token.ts";

/** Whose session it is, and its token. */
export interface SavedSession {
  readonly user: string;
  readonly token: string;
}

/**
 * A person's sessions with one cluster: a file for each user, so that commands that run at once do
 * not lose each other's, and one that says who logged in last.
 */
export class SessionFiles {
  readonly #folder: string;
  readonly #cluster: string;
  /** Why something could not be kept, if so: the session is good all the same, for this process. */
  failure: string | undefined;

  /** @param folder which nobody else reads */
  constructor(folder: string, brokers: readonly string[]) {
    this.#folder = folder;
    this.#cluster = clusterOf(brokers);
  }

  /** What the user is logged in by, or whoever logged in last. */
  read(user: string | undefined): SavedSession | undefined {
    const whose = user ?? read(this.#path()).user;
    if (typeof whose !== "string") return undefined;
    const { token } = read(this.#path(whose));
    return typeof token === "string" ? { user: whose, token } : undefined;
  }

  /** Keeps a token for the next process. */
  save(token: string): void {
    const user = subjectOf(token);
    if (user !== undefined) this.#write(this.#path(user), { user, token });
  }

  /** Commands that name no user are this one's from now on. */
  choose(user: string): void {
    this.#write(this.#path(), { user });
  }

  /** Whatever letters a name has, and however many, a file can have this one. */
  #path(...user: string[]): string {
    return join(this.#folder, `${fileName([this.#cluster, ...user])}.json`);
  }

  #write(path: string, value: object): void {
    const own = `${path}.${randomHex(4)}`;
    try {
      mkdirSync(this.#folder, { recursive: true, mode: ownerOnlyFolder });
      writeFileSync(own, `${JSON.stringify(value)}\n`, { mode: ownerOnly });
      renameSync(own, path);
    } catch (error) {
      if (errorCode(error) === undefined) throw error;
      this.failure = (error as Error).message;
    }
  }
}

/**
 * A cluster in whatever order its brokers are named. With their keys: what was given to one that
 * proves itself goes to no other that answers in its place.
 */
export function clusterOf(brokers: readonly string[]): string {
  return [...brokers].sort().join(",");
}

/** Whatever letters the names have, and however many, a file can have this one. */
export function fileName(names: readonly string[]): string {
  return createHash("sha256").update(names.join("\n")).digest("hex").slice(0, 32);
}

function read(path: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    return isMap(value) ? value : {};
  } catch {
    // Without it a person logs in again.
    return {};
  }
}
