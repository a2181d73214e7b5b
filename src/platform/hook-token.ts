import { randomBytes } from "node:crypto";

/** As many random bytes as a key has, because the token is all that a hook asks for. */
const tokenBytes = 32;

/** Returns a new token for the service `hook`, which nobody can guess. */
export function newHookToken(): string {
  return randomBytes(tokenBytes).toString("base64url");
}
