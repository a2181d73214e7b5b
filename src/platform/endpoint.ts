const withItsKey = /^(.+)#((?:member:)?[0-9a-fA-F]{64})$/;

/**
 * Splits `tcp://host:port#key` into address and key. The key is a public key of 64 hex digits, or
 * `member:` and a password of 64 hex digits.
 */
export function splitKey(endpoint: string): { address: string; key: string | undefined } {
  const [, address = endpoint, key] = withItsKey.exec(endpoint) ?? [];
  return { address, key };
}

/** Returns the password in a key of the form `member:…`; undefined for any other key. */
export function passwordOf(key: string | undefined): string | undefined {
  return key?.startsWith("member:") ? key.slice("member:".length) : undefined;
}

/** Appends the key to each endpoint without a key. */
export function withKey(endpoints: readonly string[], key: string | undefined): readonly string[] {
  if (key === undefined) return endpoints;
  return endpoints.map((endpoint) => {
    return splitKey(endpoint).key === undefined ? `${endpoint}#${key}` : endpoint;
  });
}

/** Returns the endpoints without their keys, as text for a person. */
export function addressesOf(endpoints: readonly string[]): string {
  return endpoints.map((endpoint) => splitKey(endpoint).address).join(", ");
}
