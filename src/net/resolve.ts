import { lookup } from "node:dns/promises";

/**
 * Resolves a host name for binding and for connecting. IPv4 is taken where the name has both, so
 * that processes that bind by a name and those that connect by it meet.
 * @returns undefined if the name can't be resolved, for good or at present
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

/** The family of the address that `addressOfName` returns: 4 or 6. */
export async function familyOf(host: string): Promise<number | undefined> {
  return (await addressOfName(host))?.family;
}
