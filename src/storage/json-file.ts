import { readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { syncFolder } from "../platform/folder.ts";
import { errorCode, folderProblem, Problem } from "../platform/problem.ts";

/**
 * Replaces a file as a whole: after a crash it holds either the old text or the new (R2). For each
 * path one call at a time.
 * @throws Problem that names the folder
 */
export async function writeAtomically(path: string, text: string, mode = 0o644): Promise<void> {
  const temporary = `${path}.tmp`;
  try {
    await writeFile(temporary, text, { mode, flush: true });
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    throw folderProblem(dirname(path), error);
  }
}

export async function writeJson(path: string, value: unknown, mode?: number): Promise<void> {
  await writeAtomically(path, `${JSON.stringify(value)}\n`, mode);
}

/**
 * Reads a file's value by `parse`; undefined if there is no file.
 * @param way what a person can do about a damaged file
 * @throws Problem that names the file, if it can't be read or is not what it should be
 */
export async function readJson<T>(
  path: string,
  parse: (value: unknown) => T,
  way = "restore it from a backup, or move it away.",
): Promise<T | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw new Problem(`${path} can't be read (${errorCode(error)}): check its owner and mode.`);
  }
  try {
    return parse(JSON.parse(text));
  } catch (error) {
    throw new Problem(`${path} is damaged (${(error as Error).message}): ${way}`);
  }
}
