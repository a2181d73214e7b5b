import { lookup } from "node:dns/promises";

/**
 * Resolves a host name, for binding and for connecting. If the name has IPv4 and IPv6 addresses,
 * the result is always an IPv4 address.
 * @returns undefined if the name can't be resolved at present
 */
export async function addressOfName(
  host: string,
): Promise<{ readonly address: string; readonly family: number } | undefined> {
  try {
    return await lookup(host, { verbatim: false });
  } catch {
    return undefined;
  }
}
