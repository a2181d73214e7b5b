const withItsKey = /^(.+)#([0-9a-fA-F]{64})$/;

/** An endpoint of a list carries the key of who is bound there, if that one encrypts. */
export interface Keyed {
  /** What ZeroMQ knows. */
  readonly address: string;
  /** 64 hex digits. */
  readonly key: string | undefined;
}

/** `tcp://host:port#key` in its two parts. */
export function splitKey(endpoint: string): Keyed {
  const [, address = endpoint, key] = withItsKey.exec(endpoint) ?? [];
  return { address, key };
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
