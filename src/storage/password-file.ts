import { existsSync } from "node:fs";
import { join } from "node:path";
import { ownerOnly } from "../platform/folder.ts";
import { errorCode, Problem } from "../platform/problem.ts";
import { randomHex } from "../platform/random.ts";
import { readShortFile } from "../platform/short-file.ts";
import { decodePlainText } from "../protocol/plain-text.ts";
import { writeAtomically } from "./json-file.ts";

/**
 * Returns the first line of a file. @throws Problem (exit code 2) if the file can't be read or its
 * first line is empty
 */
export function readPasswordFile(path: string): string {
  let text: string;
  try {
    text = decodePlainText(readShortFile(path).bytes);
  } catch (error) {
    const code = errorCode(error);
    throw new Problem(`The password file ${path} can't be read (${code}): check it.`, 2);
  }
  const [line = ""] = text.split("\n");
  if (line !== "") return line;
  throw new Problem(`The password file ${path} is empty: write the password on its first line.`, 2);
}

/**
 * Returns the password of a bot's own account, kept in the folder of its process; the first call
 * creates it.
 */
export async function ownPassword(folder: string): Promise<string> {
  const path = join(folder, "password");
  // The password is saved first, so that it is on disk before an account is created with it.
  if (!existsSync(path)) await writeAtomically(path, `${randomHex(24)}\n`, ownerOnly);
  return readPasswordFile(path);
}
