/** Work on a password: it keeps a thread of its own busy for tens of milliseconds. */
export interface PasswordWork {
  /** Is it the password of this credential? Without one it takes as long, and is not. */
  readonly check?: { readonly password: string; readonly credential: string | undefined };
  /** Hash this one, unless the check failed. */
  readonly hash?: string;
}

export interface PasswordResult {
  /** Whether the check succeeded; true where there was none. */
  readonly isRight: boolean;
  /** What to store from now on: of the password to hash, or of one hashed too cheaply. */
  readonly credential: string | undefined;
}
