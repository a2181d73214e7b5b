import { hash } from "@node-rs/argon2";

/**
 * argon2id with 19 MiB, two passes, one lane: what OWASP recommends at least. On a thread of its own.
 * @returns the hash with its parameters and salt, as PHC string
 */
export function hashPassword(password: string): Promise<string> {
  return hash(password, { memoryCost: 19 * 1_024, timeCost: 2, parallelism: 1 });
}
