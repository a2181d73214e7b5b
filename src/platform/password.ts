import { hashSync, verifySync } from "@node-rs/argon2";
import type { PasswordResult, PasswordWork } from "../protocol/password-work.ts";

/** argon2id with 19 MiB, two passes, one lane: what OWASP recommends at least. */
const parameters = { memoryCost: 19 * 1_024, timeCost: 2, parallelism: 1 };

/** No account's credential. Unknown users are checked against it, and so wait as long as others. */
const nobodys = `${start()}${"A".repeat(22)}$${"A".repeat(43)}`;

/**
 * Checks a password, hashes one, or both. It takes tens of milliseconds, too long for a thread that
 * serves. A right password whose hash has other parameters than today's is hashed again.
 * @returns the new hash with its parameters and salt, as a PHC string
 * @throws Error if the credential is invalid, or the machine has no memory for it
 */
export function workOnPassword({ check, hash: next }: PasswordWork): PasswordResult {
  if (check === undefined) return { isRight: true, credential: next && hashed(next) };
  const { password, credential } = check;
  const isSame = verifySync(credential ?? nobodys, password);
  const isRight = isSame && credential !== undefined;
  if (!isRight) return { isRight, credential: undefined };
  const again = next ?? (isOfToday(credential) ? undefined : password);
  return { isRight, credential: again && hashed(again) };
}

function hashed(password: string): string {
  return hashSync(password, parameters);
}

function isOfToday(credential: string): boolean {
  return credential.startsWith(start());
}

/** The beginning of a credential with today's parameters, before salt and hash. */
function start(): string {
  const { memoryCost, timeCost, parallelism } = parameters;
  return `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$`;
}
