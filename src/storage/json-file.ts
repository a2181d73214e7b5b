import { readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { syncFolder } from "../platform/folder.ts";
import { errorCode, folderProblem, Problem } from "../platform/problem.ts";
import { checkFormat, fileFormat } from "./file-format.ts";

/**
 * Replaces a file as a whole: after a crash the file holds either the old text or the new one (R2).
 * Only one call at a time is allowed for each path.
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

export async function writeJson(path: string, value: object, mode?: number): Promise<void> {
  await writeAtomically(path, `${JSON.stringify({ ...value, format: fileFormat })}\n`, mode);
}

/**
 * Reads a JSON file with `parse`; returns undefined if the file does not exist.
 * @param way what a person can do about a damaged file
 * @throws Problem that names the file, if it can't be read, has a newer format, or `parse` throws
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
    const value: unknown = JSON.parse(text);
    checkFormat(path, value);
    return parse(value);
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem(`${path} is damaged (${(error as Error).message}): ${way}`);
  }
}
