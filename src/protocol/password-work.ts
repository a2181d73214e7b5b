/** A check or hash of a password: it keeps the password thread busy for tens of milliseconds. */
export interface PasswordWork {
  /**
   * Checks `password` against `credential`. Without a credential the check fails, but takes as long
   * as with one, so that timing does not reveal whether an account exists.
   */
  readonly check?: { readonly password: string; readonly credential: string | undefined };
  /** The new password to hash; it is not hashed if the check fails. */
  readonly hash?: string;
}

export interface PasswordResult {
  /** Whether the check succeeded; true if there was no check. */
  readonly isRight: boolean;
  /**
   * The credential to store, if any: the hash of the new password, or a new hash of the checked
   * password if the stored hash has outdated parameters.
   */
  readonly credential: string | undefined;
}
