import { readUserName, type UserName } from "../protocol/ids.ts";

/** @returns the token's user, unverified: a client has no key to verify tokens, and needs none */
export function subjectOf(token: string | undefined): UserName | undefined {
  try {
    const [, payload = ""] = token?.split(".") ?? [];
    const { sub } = JSON.parse(Buffer.from(payload, "base64url").toString()) as { sub?: unknown };
    return readUserName(sub);
  } catch {
    return undefined;
  }
}
