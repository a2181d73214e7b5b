import { createHash } from "node:crypto";
import { join } from "node:path";
import { errorCode } from "../platform/problem.ts";
import { isMap } from "../protocol/parse-message.ts";
import { type FileTrouble, KeptFile } from "../storage/kept-file.ts";
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
  readonly #folder: string | undefined;
  readonly #cluster: string;
  /** Why something could not be kept, if so: the session is good all the same, for this process. */
  failure: string | undefined;
  /** Files that could not be read. */
  readonly troubles: FileTrouble[] = [];

  /** @param folder one that nobody else can read; without one nothing is kept */
  constructor(folder: string | undefined, brokers: readonly string[]) {
    this.#folder = folder;
    this.#cluster = clusterOf(brokers);
  }

  /** What the user is logged in by, or whoever logged in last. */
  read(user: string | undefined): SavedSession | undefined {
    const whose = user ?? this.#file()?.read()?.user;
    if (whose === undefined) return undefined;
    const token = this.#file(whose)?.read()?.token;
    return token === undefined ? undefined : { user: whose, token };
  }

  /** Keeps a token for the next process. */
  save(token: string): void {
    const user = subjectOf(token);
    if (user !== undefined) this.#write({ user, token }, user);
  }

  /** Commands that name no user are this one's from now on. */
  choose(user: string): void {
    this.#write({ user });
  }

  /** Whatever letters a name has, and however many, a file can have this one. */
  #file(...user: string[]): KeptFile<Kept> | undefined {
    if (this.#folder === undefined) return undefined;
    const path = join(this.#folder, `${fileName([this.#cluster, ...user])}.json`);
    return new KeptFile(path, parseKept, (trouble) => this.troubles.push(trouble));
  }

  #write(value: Kept, ...user: string[]): void {
    const file = this.#file(...user);
    if (file === undefined) this.failure = "neither HOME nor XDG_STATE_HOME names a folder.";
    try {
      file?.update(() => value);
    } catch (error) {
      if (errorCode(error) === undefined) throw error;
      this.failure = (error as Error).message;
    }
  }
}

/** What a file holds. One file names the user who logged in last; the others have a token each. */
interface Kept {
  readonly user: string;
  readonly token?: string;
}

/** @throws Error if a field is missing or of another type */
function parseKept(value: unknown): Kept {
  const { user, token } = isMap(value) ? value : {};
  if (typeof user !== "string") throw new Error("it has no `user`");
  if (token === undefined) return { user };
  if (typeof token !== "string") throw new Error("its `token` is no text");
  return { user, token };
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
