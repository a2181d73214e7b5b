const withItsKey = /^(.+)#((?:member:)?[0-9a-fA-F]{64})$/;

/**
 * `tcp://host:port#key` in its two parts. The key is a public one of 64 hex digits, or `member:`
 * and a password of 64 hex digits.
 */
export function splitKey(endpoint: string): { address: string; key: string | undefined } {
  const [, address = endpoint, key] = withItsKey.exec(endpoint) ?? [];
  return { address, key };
}

/** The password, if the key is one. */
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

/** The endpoints without their keys, for a person. */
export function addressesOf(endpoints: readonly string[]): string {
  return endpoints.map((endpoint) => splitKey(endpoint).address).join(", ");
}
