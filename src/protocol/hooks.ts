/** The limits of incoming webhooks, a part of `limits`. */
export const hookLimits = {
  /** The fewest characters of a hook's token: as many as 32 random bytes have in base64url. */
  hookTokenCharactersLeast: 43,
  /** The most characters of a hook's token, which is a part of a path. */
  hookTokenCharacters: 128,
  /** The most hooks of one user: more than a team's systems need, and few enough for one reply. */
  userHooks: 20,
  /**
   * The most hooks that one user can ever make. Servers keep revoked hooks forever, so that no late
   * event brings one back.
   */
  userHooksMade: 1_000,
  /**
   * How many requests over one connection a server answers with `hook_not_found` at once, before it
   * enforces `connectionAttemptMs`.
   */
  hookGuesses: 20,
  /**
   * The most posts by one hook at once, and then in a second: far below the pace of its owner, so that
   * a leaked URL does not silence the owner.
   */
  hookPosts: 20,
  hookPostsPerSecond: 5,
} as const;

/** Returns the path at a gateway to which other systems send what the hook writes. */
export function hookPath(token: string): string {
  return `/hooks/${token}`;
}
