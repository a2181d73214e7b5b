import { hashSync, verifySync } from "@node-rs/argon2";
import type { PasswordResult, PasswordWork } from "../protocol/password-work.ts";

/** argon2id with 19 MiB, two passes and one lane: the least that OWASP recommends. */
const parameters = { memoryCost: 19 * 1_024, timeCost: 2, parallelism: 1 };

/**
 * A credential that no password matches. The password of an unknown user is checked against it, so
 * that the answer takes as long as for a known user.
 */
const nobodys = `${start()}${"A".repeat(22)}$${"A".repeat(43)}`;

/**
 * Checks a password, hashes a new password, or does both. The work takes tens of milliseconds, too
 * long for a thread that serves requests. A right password whose hash has outdated parameters is
 * hashed again.
 * @returns whether the check succeeded, and the new credential, if any: hash, parameters and salt
 * as a PHC string
 * @throws Error if the credential is invalid, or the machine lacks memory for hashing
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

/** Returns the beginning of a credential with the present parameters, up to its salt. */
function start(): string {
  const { memoryCost, timeCost, parallelism } = parameters;
  return `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$`;
}
