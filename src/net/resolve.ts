import { lookup } from "node:dns/promises";

/**
 * Resolves a host name for binding and for connecting. Both use IPv4 if the name has both families,
 * and so meet.
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
