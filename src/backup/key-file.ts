import { errorCode, Problem } from "../platform/problem.ts";
import { readShortFile } from "../platform/short-file.ts";
import { decodePlainText } from "../protocol/plain-text.ts";
import type { Text } from "../texts/texts.ts";

/** The fewest characters of a key, because a shorter key could be guessed. */
const leastCharacters = 16;

/**
 * Returns the text of a key file; undefined without a key file.
 * @throws Problem (exit code 2) if the file can't be read or its text is too short
 */
export function readKeyFile(path: string | undefined, text: Text): string | undefined {
  if (path === undefined) return undefined;
  let key: string;
  try {
    key = decodePlainText(readShortFile(path).bytes).trim();
  } catch (error) {
    throw new Problem(text("backup.keyUnreadable", { path, code: errorCode(error) ?? "" }), 2);
  }
  if (key.length >= leastCharacters) return key;
  throw new Problem(text("backup.keyShort", { path, least: leastCharacters }), 2);
}
