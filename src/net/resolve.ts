import { lookup } from "node:dns/promises";

/**
 * Resolves a host name, for binding and for connecting. If the name has addresses of both families,
 * both uses get an IPv4 address.
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
