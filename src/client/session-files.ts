import { createHash } from "node:crypto";
import { join } from "node:path";
import { errorCode } from "../platform/problem.ts";
import { isMap } from "../protocol/fields.ts";
import { readUserName, type UserName } from "../protocol/ids.ts";
import { type FileTrouble, KeptFile } from "../storage/kept-file.ts";
import { subjectOf } from "./session-token.ts";

/** Whose session it is, and its token. */
export interface SavedSession {
  readonly user: UserName;
  readonly token: string;
}

/**
 * A person's sessions with one cluster: a file for each user, so that commands that run at once do
 * not lose each other's, and one that says who logged in last.
 */
export class SessionFiles {
  readonly #folder: string | undefined;
  readonly #cluster: string;
  /** Why something could not be kept, if so: the session is good all the same, for this process. */
  failure: "no folder" | { readonly folder: string; readonly code: string } | undefined;
  /** Files that could not be read. */
  readonly troubles: FileTrouble[] = [];

  /** @param folder one that nobody else can read; without one nothing is kept */
  constructor(folder: string | undefined, brokers: readonly string[]) {
    this.#folder = folder;
    this.#cluster = clusterOf(brokers);
  }

  /** The session of a user, or else of the user who logged in last. */
  read(user: string | undefined): SavedSession | undefined {
    const whose = user ?? this.#file(parseChosen)?.read()?.user;
    return whose === undefined ? undefined : this.#file(parseSession, whose)?.read();
  }

  /** Keeps a token for the next process. */
  save(token: string): void {
    const user = subjectOf(token);
    if (user !== undefined) this.#write(this.#file(parseSession, user), { user, token });
  }

  /** From now on, commands that name no user act as this one. */
  choose(user: string): void {
    this.#write(this.#file(parseChosen), { user });
  }

  #file<T extends object>(
    parse: (value: unknown) => T,
    ...user: string[]
  ): KeptFile<T> | undefined {
    if (this.#folder === undefined) return undefined;
    const path = join(this.#folder, `${fileName([this.#cluster, ...user])}.json`);
    return new KeptFile(path, parse, (trouble) => this.troubles.push(trouble));
  }

  #write<T extends object>(file: KeptFile<T> | undefined, value: T): void {
    const folder = this.#folder;
    if (file === undefined || folder === undefined) {
      this.failure = "no folder";
      return;
    }
    try {
      file.update(() => value);
    } catch (error) {
      const code = errorCode(error);
      if (code === undefined) throw error;
      this.failure = { folder, code };
    }
  }
}

/** Of the file that names the user who logged in last. @throws Error if it names nobody */
function parseChosen(value: unknown): { readonly user: string } {
  const { user } = isMap(value) ? value : {};
  if (typeof user !== "string") throw new Error("it has no `user`");
  return { user };
}

/** @throws Error if it is not a session */
function parseSession(value: unknown): SavedSession {
  const { user, token } = isMap(value) ? value : {};
  if (typeof token !== "string") throw new Error("it has no `token`");
  return { user: readUserName(user), token };
}

/**
 * The same text in whatever order a cluster's brokers are named. It has their keys: what a broker
 * with a key was given never goes to another process that answers in its place.
 */
export function clusterOf(brokers: readonly string[]): string {
  return [...brokers].sort().join(",");
}

/** A name that a file can have, whatever letters the names are of and however many. */
export function fileName(names: readonly string[]): string {
  return createHash("sha256").update(names.join("\n")).digest("hex").slice(0, 32);
}
