import {
  chmodSync,
  chownSync,
  existsSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import { decodePlainText } from "../protocol/plain-text.ts";
import { syncNow, writeNow } from "./folder.ts";
import { errorCode, Problem } from "./problem.ts";
import { randomHex } from "./random.ts";
import { madeBytes, secretsOf } from "./secret.ts";
import { readShortFile } from "./short-file.ts";

/** The steps of a change of the secret (O55), each as a change of the secrets in the file. */
const changes = {
  /** From now on, processes also accept a new secret. */
  add: (secrets: readonly string[]) => [...secrets, randomHex(madeBytes)],
  /** From now on, processes use the secret that was added last. */
  switch: (secrets: readonly string[]) => [...secrets.slice(-1), ...secrets.slice(0, -1)],
  /** From now on, processes no longer accept the last secret. */
  drop: (secrets: readonly string[]) => secrets.slice(0, -1),
} as const;

export type SecretChange = keyof typeof changes;

export function isSecretChange(text: string): text is SecretChange {
  return Object.hasOwn(changes, text);
}

/**
 * Changes the file of the secret. After a crash the file holds either the old secrets or the new
 * ones. Its owner and mode stay.
 * @throws Problem if the file can't be replaced, or the error of the file system if it can't be read
 */
export function changeSecretFile(path: string, change: SecretChange): void {
  const secrets = secretsOf(decodePlainText(readShortFile(path).bytes));
  // A link stays a link; the file to which it leads is replaced.
  const place = realpathSync(path);
  const own = `${place}.${randomHex(8)}`;
  try {
    const { mode, uid, gid } = statSync(place);
    writeNow(own, `${changes[change](secrets).join("\n")}\n`, mode & 0o600);
    chownSync(own, uid, gid);
    chmodSync(own, mode & 0o777);
    renameSync(own, place);
    syncNow(dirname(place));
  } catch (error) {
    if (existsSync(own)) rmSync(own);
    throw new Problem(
      `The secret at ${path} can't be replaced (${errorCode(error)}): ` +
        "run this as the file's owner, with the right to write in its folder.",
      1,
      { cause: error },
    );
  }
}
