import type { RequestId, UserName } from "../../../protocol/ids.ts";

/** The flags that an administrator sets on an account. */
export const accountFlags = ["locked", "administrator"] as const;
export type AccountFlag = (typeof accountFlags)[number];

/** Who may register besides administrators: anybody, nobody, or whoever knows the invitation. */
export const registrationModes = ["open", "closed", "invitation"] as const;
export type RegistrationMode = (typeof registrationModes)[number];

export interface Registration {
  readonly mode: RegistrationMode;
  /** The hash of the invitation; the invitation itself is stored nowhere. */
  readonly hash?: string | undefined;
}

/** The hash of a user's present password. */
export interface Credential {
  /** Opaque here. */
  readonly credential: string;
  /** Sessions with another version are no longer valid. */
  readonly version: string;
}

/** An account. It is replaced as a whole, never changed. */
export interface Account extends Credential {
  readonly user: UserName;
  /** The id of the operation that made the account. */
  readonly id: RequestId;
  /** The looks of the name as the server computed them to which the account was asked for (W18). */
  readonly looks: readonly string[];
  /** Whether the account was made while the cluster ran with `--auth open`. */
  readonly isOpen?: true | undefined;
  /** Whether the password was changed after the account was made. */
  readonly hasNewPassword?: true | undefined;
  readonly locked?: true | undefined;
  readonly administrator?: true | undefined;
}

const anybody: Registration = { mode: "open" };

/** All accounts, as the log of decisions has made them. A name belongs to one account forever. */
export class Accounts {
  readonly #accounts = new Map<UserName, Account>();
  /** For each look of an account, as the account has it, the account's name. */
  readonly #byLook = new Map<string, UserName>();
  registration = anybody;
  /**
   * Whether events or a state of an older version have accounts. Such accounts have no effect,
   * because no log has decided them.
   */
  hasFormer = false;

  /** Returns the account that owns the name. */
  owner(user: UserName): Account | undefined {
    return this.#accounts.get(user);
  }

  credential(user: UserName): Credential | undefined {
    return this.owner(user);
  }

  has(flag: AccountFlag, user: UserName): boolean {
    return this.owner(user)?.[flag] === true;
  }

  /** Returns the owner of a name that has one of these looks. */
  ownerWith(looks: readonly string[]): Account | undefined {
    const look = looks.find((one) => this.#byLook.has(one));
    return look === undefined ? undefined : this.owner(this.#byLook.get(look) as UserName);
  }

  /** Adds an account, or puts it in the place of the account with the same name. */
  set(account: Account): void {
    const { user, looks } = account;
    for (const look of looks) if (!this.#byLook.has(look)) this.#byLook.set(look, user);
    this.#accounts.set(user, account);
  }

  clear(): void {
    this.#accounts.clear();
    this.#byLook.clear();
    this.registration = anybody;
  }

  /** All accounts, sorted by name. */
  all(): Account[] {
    return [...this.#accounts.values()].sort((a, b) => (a.user < b.user ? -1 : 1));
  }
}
