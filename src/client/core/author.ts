import { harmless } from "../../protocol/harmless.ts";
import type { HookName, UserName } from "../../protocol/ids.ts";

/** The user of a message, and the hook that wrote it in the user's name, if any. */
export interface Author {
  readonly user: UserName;
  readonly hook?: HookName | undefined;
}

/**
 * @returns the author as people see it, in every language: `ana`, or `ana via deploy` for a hook of
 * ana. The user comes first, so that no hook looks like another user even if the text is cut.
 */
export function authorOf({ user, hook }: Author): string {
  return hook === undefined ? harmless(user) : `${harmless(user)} via ${harmless(hook)}`;
}

/** Whether this person wrote the message themselves, and not a hook in their name. */
export function isBy({ user, hook }: Author, me: string): boolean {
  return user === me && hook === undefined;
}
