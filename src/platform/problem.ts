import { accessSync, constants } from "node:fs";
import { dirname, resolve } from "node:path";

/**
 * A problem that a person must solve, such as a port in use or a damaged file. Its message is one
 * sentence that says what to do, and is shown without a stack.
 */
export class Problem extends Error {
  override readonly name = "Problem";
  /** The exit code of the process: 1 for a failure, 2 for wrong use. */
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 1, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** Returns a problem that says why a data folder can't be used, and what to do. */
export function folderProblem(folder: string, error: unknown): Problem {
  // Node's error for a folder that could not be created does not always give the true reason, so
  // the folder is checked first.
  const code = whyUnwritable(folder) ?? errorCode(error);
  const why = unusable[code ?? ""] ?? "can't be used";
  const way = "check it, or name another folder by --data";
  return new Problem(`The data folder ${folder} ${why} (${code}): ${way}.`, 1, { cause: error });
}

const unusable: Readonly<Record<string, string>> = {
  EROFS: "is on a disk that can only be read",
  EACCES: "may not be written by this user",
  EPERM: "may not be written by this user",
  ENOSPC: "has no space left",
  EDQUOT: "has no space left",
  ENOTDIR: "is no folder, or lies below a file",
  EEXIST: "is no folder, or lies below a file",
};

/**
 * Returns the system's error code if the folder, or its nearest existing parent, can't be written;
 * else undefined.
 */
export function whyUnwritable(folder: string): string | undefined {
  try {
    accessSync(folder, constants.W_OK);
    return undefined;
  } catch (error) {
    const code = errorCode(error);
    const above = dirname(resolve(folder));
    return code === "ENOENT" && above !== resolve(folder) ? whyUnwritable(above) : code;
  }
}

/** Returns a sentence that says which file a process can't write, and why. */
export function unwritable(path: string, error: unknown): string {
  const full = errorCode(error) === "ENOSPC" ? " The disk is full: free some space." : "";
  return `${path} can't be written (${(error as Error).message}).${full}`;
}

/**
 * Returns the operating system's code of an error, such as `ENOSPC` or `EACCES`; undefined for any
 * other error.
 */
export function errorCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : undefined;
}
