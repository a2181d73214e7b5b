import { readUserName, type UserName } from "../protocol/ids.ts";

/** Whose token it is; a client has no key to check it with, and need not. */
export function subjectOf(token: string | undefined): UserName | undefined {
  try {
    const [, payload = ""] = token?.split(".") ?? [];
    const { sub } = JSON.parse(Buffer.from(payload, "base64url").toString()) as { sub?: unknown };
    return readUserName(sub);
  } catch {
    return undefined;
  }
}
