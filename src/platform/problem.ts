import { accessSync, constants } from "node:fs";
import { dirname, resolve } from "node:path";

/**
 * Something that a person must put right, such as a port in use or a damaged file. Its message is
 * one sentence that says what to do. It is shown without a stack.
 */
export class Problem extends Error {
  override readonly name = "Problem";
  /** 1 for a failure, 2 for wrong use. */
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 1, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** Says why a data folder can't be written, and what to do about it. */
export function folderProblem(folder: string, error: unknown): Problem {
  // Node's error for a folder that it could not make does not always give the true reason.
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

/** The system's code if the folder, or the nearest existing one above it, can't be written. */
function whyUnwritable(folder: string): string | undefined {
  try {
    accessSync(folder, constants.W_OK);
    return undefined;
  } catch (error) {
    const code = errorCode(error);
    const above = dirname(resolve(folder));
    return code === "ENOENT" && above !== resolve(folder) ? whyUnwritable(above) : code;
  }
}

/** Why a process ends that can't write a file it relies on, as one sentence. */
export function unwritable(path: string, error: unknown): string {
  const full = errorCode(error) === "ENOSPC" ? " The disk is full: free some space." : "";
  return `${path} can't be written (${(error as Error).message}).${full}`;
}

/** The operating system's code of an error: `ENOSPC`, `EACCES` … */
export function errorCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : undefined;
}
