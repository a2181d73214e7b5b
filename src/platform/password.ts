import { hash, verify } from "@node-rs/argon2";

/** argon2id with 19 MiB, two passes, one lane: what OWASP recommends at least. */
const parameters = { memoryCost: 19 * 1_024, timeCost: 2, parallelism: 1 };

interface Work {
  readonly check?: { readonly password: string; readonly credential: string | undefined };
  readonly hash?: string;
}

interface Result {
  readonly isRight: boolean;
  readonly credential: string | undefined;
}

/** Nobody's: who has no account is checked against it, and waits as long as others. */
const nobodys = `${start()}${"A".repeat(22)}$${"A".repeat(43)}`;

/**
 * Checks a password, hashes one, or both, on a thread of its own. A right one that was hashed with
 * other parameters than today's is hashed anew.
 * @returns the hash with its parameters and salt, as PHC string
 */
export async function doPasswordWork({ check, hash: next }: Work): Promise<Result> {
  if (check === undefined) return { isRight: true, credential: next && (await hashed(next)) };
  const { password, credential } = check;
  const isSame = await verify(credential ?? nobodys, password);
  const isRight = isSame && credential !== undefined;
  if (!isRight) return { isRight, credential: undefined };
  const again = next ?? (isOfToday(credential) ? undefined : password);
  return { isRight, credential: again && (await hashed(again)) };
}

function hashed(password: string): Promise<string> {
  return hash(password, parameters);
}

function isOfToday(credential: string): boolean {
  return credential.startsWith(start());
}

/** How a credential of today's parameters begins, before salt and hash. */
function start(): string {
  const { memoryCost, timeCost, parallelism } = parameters;
  return `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$`;
}
