const withItsKey = /^(.+)#((?:member:)?[0-9a-fA-F]{64})$/;

/** An endpoint, and what lets a connection in there if it is not open to anybody. */
export interface Keyed {
  /** The part that ZeroMQ knows. */
  readonly address: string;
  /**
   * The public key of a socket that encrypts, 64 hex digits; or `member:` and a password of as
   * many.
   */
  readonly key: string | undefined;
}

/** `tcp://host:port#key` in its two parts. */
export function splitKey(endpoint: string): Keyed {
  const [, address = endpoint, key] = withItsKey.exec(endpoint) ?? [];
  return { address, key };
}

/** The password of a key that is one. */
export function passwordOf(key: string | undefined): string | undefined {
  return key?.startsWith("member:") ? key.slice("member:".length) : undefined;
}

/** Gives the key to each endpoint that has none. */
export function withKey(endpoints: readonly string[], key: string | undefined): readonly string[] {
  if (key === undefined) return endpoints;
  return endpoints.map((endpoint) => {
    return splitKey(endpoint).key === undefined ? `${endpoint}#${key}` : endpoint;
  });
}

/** For a person to read: where they are, without the keys. */
export function addressesOf(endpoints: readonly string[]): string {
  return endpoints.map((endpoint) => splitKey(endpoint).address).join(", ");
}
