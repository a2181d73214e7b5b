import { refusePassword } from "./parse-engine.ts";

/** Where a Redis is, without its password. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  /** Undefined for Redis's default user. */
  readonly user: string | undefined;
  /** The number of the database. */
  readonly database: number;
  readonly isEncrypted: boolean;
}

const defaultPort = 6379;
const pattern =
  /^(rediss?):\/\/(?:([^@/?:]+)@)?(\[[\da-fA-F:.]+\]|[^:@/?,[\]]+)(?::(\d{1,5}))?(?:\/(\d{0,5}))?$/;

/**
 * Parses the address of a Redis, such as `redis://ana@a:6379/0`; `rediss://` encrypts.
 * @throws Problem if it has a password, which the message does not repeat
 */
export function redisAddress(text: string): RedisAddress {
  refusePassword(text, "redis");
  const match = pattern.exec(text);
  const [, scheme, user, host = "", port = String(defaultPort), database = ""] = match ?? [];
  if (match === null || Number(port) < 1 || Number(port) > 65_535) {
    throw new Error("redis://user@host:port/number is wanted, or rediss:// to encrypt");
  }
  return {
    host: host.replace(/^\[|\]$/g, ""),
    port: Number(port),
    user,
    database: Number(database),
    isEncrypted: scheme === "rediss",
  };
}
