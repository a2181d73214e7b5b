import { createHash } from "node:crypto";
import { join } from "node:path";
import { errorCode } from "../platform/problem.ts";
import { isMap } from "../protocol/fields.ts";
import { readUserName, type UserName } from "../protocol/ids.ts";
import { type FileTrouble, KeptFile } from "../storage/kept-file.ts";
import { subjectOf } from "./session-token.ts";

/** A user and the token of their session. */
export interface SavedSession {
  readonly user: UserName;
  readonly token: string;
}

/**
 * A person's sessions with one cluster. Each user has a file, so that simultaneous commands of
 * different users do not overwrite each other's session. A further file names the user who logged
 * in last.
 */
export class SessionFiles {
  readonly #folder: string | undefined;
  readonly #cluster: string;
  /** The last token of each user that this process has saved, or could not save. */
  readonly #tokens = new Map<string, string>();
  /**
   * Why a session could not be saved; undefined if no save has failed. Only this process can use a
   * session that was not saved.
   */
  failure: "no folder" | { readonly folder: string; readonly code: string } | undefined;
  /** Damaged and unreadable files. */
  readonly troubles: FileTrouble[] = [];

  /** @param folder a folder that only the person can read; if undefined, no session is saved */
  constructor(folder: string | undefined, brokers: readonly string[]) {
    this.#folder = folder;
    this.#cluster = clusterOf(brokers);
  }

  /**
   * @returns the saved session of `user`; if `user` is undefined, that of the user in the last call
   * of `choose`
   */
  read(user: string | undefined): SavedSession | undefined {
    const whose = user ?? this.#file(parseChosen)?.read()?.user;
    return whose === undefined ? undefined : this.#file(parseSession, whose)?.read();
  }

  /** @returns the newest token of a user that this process knows */
  tokenOf(user: string): string | undefined {
    return this.#tokens.get(user) ?? this.read(user)?.token;
  }

  /** Saves a token for later processes. */
  save(token: string): void {
    const user = subjectOf(token);
    if (user === undefined) return;
    this.#tokens.set(user, token);
    this.#write(this.#file(parseSession, user), { user, token });
  }

  /** Makes `user` the user of all commands that name no user. */
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

/**
 * Parses the file that names the user who logged in last. @throws Error if the file names no user
 */
function parseChosen(value: unknown): { readonly user: string } {
  const { user } = isMap(value) ? value : {};
  if (typeof user !== "string") throw new Error("it has no `user`");
  return { user };
}

/** @throws Error if the value is not a session */
function parseSession(value: unknown): SavedSession {
  const { user, token } = isMap(value) ? value : {};
  if (typeof token !== "string") throw new Error("it has no `token`");
  return { user: readUserName(user), token };
}

/**
 * @returns a text that identifies a cluster by its brokers, in any order. The endpoints contain the
 * brokers' keys. With other keys the text differs, so no saved token is found, and none is sent to
 * a broker with another key.
 */
export function clusterOf(brokers: readonly string[]): string {
  return [...brokers].sort().join(",");
}

/** @returns a valid file name for any number of names with any characters */
export function fileName(names: readonly string[]): string {
  return createHash("sha256").update(names.join("\n")).digest("hex").slice(0, 32);
}
