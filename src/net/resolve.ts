import { lookup } from "node:dns/promises";

/**
 * Resolves a host name for binding and for connecting. Both sides prefer IPv4 if the name has both
 * families, so that they use the same address.
 * @returns undefined if the name can't be resolved, now or ever
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
