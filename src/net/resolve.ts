import { lookup } from "node:dns/promises";

/**
 * The address at which a name is bound, and the family by which it is reached: IPv4 where it has
 * both, so that those who bind by a name and those who connect by it meet.
 * @returns undefined if nobody knows the name, or not now
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

/** 4 or 6. */
export async function familyOf(host: string): Promise<number | undefined> {
  return (await addressOfName(host))?.family;
}
