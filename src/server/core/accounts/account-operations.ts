import assert from "node:assert";
import { type Fields, fieldsOf } from "../../../protocol/fields.ts";
import { parseRequestId, readUserName, type UserName } from "../../../protocol/ids.ts";
import type { Operation } from "../../../protocol/operation.ts";
import { type Apply, applying } from "../decisions/applying.ts";
import { readFlag, readText } from "../replica/fields.ts";
import {
  type Account,
  type AccountFlag,
  type Accounts,
  accountFlags,
  type Credential,
  type Registration,
  type RegistrationMode,
  registrationModes,
} from "./accounts.ts";

/** What may come of an operation on accounts. */
export type AccountOutcome =
  | "done"
  | "name_taken"
  | "name_confusable"
  | "name_in_use"
  | "registration_closed"
  | "invitation_wanted"
  | "user_not_found"
  | "password_wrong"
  | "password_changed"
  | "account_locked"
  | "not_administrator"
  /** A field of the operation is wrong, so a server of another version has made it. */
  | "invalid";

/** Whose right an operation needs: that of a session, or that of the cluster's operator. */
export interface Rights {
  readonly user?: UserName | undefined;
  /** The version of the session. */
  readonly version?: string | undefined;
  readonly isOperator?: true | undefined;
}

/** For each kind of operation, its fields besides those of all operations. */
export interface AccountOperations {
  register: {
    readonly user: UserName;
    readonly credential: string;
    readonly version: string;
    readonly looks: readonly string[];
    readonly isOpen?: true | undefined;
    /** The hash of the invitation that the sender knows. */
    readonly invitation?: string | undefined;
    /** Whether somebody without an account uses the name or one that looks the same. */
    readonly isUsed?: true | undefined;
    readonly rights?: Rights | undefined;
  };
  /** A user changes their own password, of the version `from`. */
  password: Credential & { readonly from: string };
  /** The same password with a new hash. */
  rehash: { readonly credential: string; readonly from: string };
  /** An administrator sets a user's password. */
  reset: Credential & { readonly user: UserName; readonly rights: Rights };
  flag: {
    readonly user: UserName;
    readonly flag: AccountFlag;
    readonly isSet: boolean;
    readonly rights: Rights;
  };
  registration: Registration & { readonly rights: Rights };
}

export type AccountKind = keyof AccountOperations;

/** Reads the fields of an operation. */
type Parsers = { readonly [K in AccountKind]: (data: Operation) => AccountOperations[K] };

type Judge<K extends AccountKind> = (asked: AccountOperations[K], by: Operation) => AccountOutcome;

/** The operations on accounts, as the log of decisions applies them to the accounts (D5). */
export function accountOperations(accounts: Accounts): Readonly<Record<AccountKind, Apply>> {
  return applying<AccountOperations>(parsers, judges(accounts));
}

/** Returns the outcome of an operation that is too old to be done, by what is known for good (D9). */
export function expiredOutcome(
  accounts: Accounts,
  { kind, user, id }: Operation,
): AccountOutcome | "expired" {
  const owner = kind === "register" ? accounts.owner(user as UserName) : undefined;
  return owner === undefined || owner.id === id ? "expired" : "name_taken";
}

function judges(accounts: Accounts): { readonly [K in AccountKind]: Judge<K> } {
  return {
    register: (asked, { id }) => {
      const { user, credential, version, looks, isOpen } = asked;
      const refused = mayRegister(accounts, asked);
      if (refused === undefined) accounts.set({ user, id, credential, version, looks, isOpen });
      return refused ?? "done";
    },
    password: ({ credential, version, from }, { by }) => {
      const account = accounts.owner(by);
      if (account?.version !== from) return "password_wrong";
      if (account.locked) return "account_locked";
      accounts.set({ ...account, credential, version, hasNewPassword: true });
      return "done";
    },
    rehash: ({ credential, from }, { by }) => {
      const account = accounts.owner(by);
      if (account?.version !== from) return "password_wrong";
      accounts.set({ ...account, credential });
      return "done";
    },
    reset: ({ credential, version, ...asked }) => {
      return administered(accounts, asked, { credential, version, hasNewPassword: true });
    },
    flag: ({ flag, isSet, ...asked }) => {
      return administered(accounts, asked, { [flag]: isSet ? true : undefined });
    },
    registration: ({ mode, hash, rights }) => {
      const refused = mayAdminister(accounts, rights);
      if (refused === undefined) accounts.registration = { mode, hash };
      return refused ?? "done";
    },
  };
}

/** Changes an account on behalf of an administrator. */
function administered(
  accounts: Accounts,
  { user, rights }: { readonly user: UserName; readonly rights: Rights },
  change: Partial<Account>,
): AccountOutcome {
  const refused = mayAdminister(accounts, rights);
  if (refused !== undefined) return refused;
  const account = accounts.owner(user);
  if (account === undefined) return "user_not_found";
  accounts.set({ ...account, ...change });
  return "done";
}

/**
 * Returns why a new account may not be made, or undefined if it may. While registration is closed, the
 * answer does not reveal whether there is an account.
 */
export function mayRegister(
  accounts: Accounts,
  asked: Omit<AccountOperations["register"], "credential" | "version">,
): AccountOutcome | undefined {
  const { user, looks, isOpen, invitation, isUsed, rights } = asked;
  const isAdministrator = rights !== undefined && mayAdminister(accounts, rights) === undefined;
  const { mode, hash } = accounts.registration;
  const isJudged = isOpen !== true && !isAdministrator;
  if (isJudged && mode === "closed") return "registration_closed";
  const isInvited = invitation !== undefined && invitation === hash;
  if (isJudged && mode === "invitation" && !isInvited) return "invitation_wanted";
  if (accounts.owner(user) !== undefined) return "name_taken";
  if (accounts.ownerWith(looks) !== undefined) return "name_confusable";
  return isUsed === true && !isAdministrator ? "name_in_use" : undefined;
}

/** Returns why a user may not act now by these rights; undefined if they may. */
export function mayAct(
  accounts: Accounts,
  by: UserName,
  { version, isOperator }: Rights,
): AccountOutcome | undefined {
  const account = accounts.owner(by);
  if (account?.locked === true) return "account_locked";
  const isOther = version !== undefined && account?.version !== version;
  return isOther && isOperator !== true ? "password_changed" : undefined;
}

/** Returns why the rights do not suffice for what only administrators may do. */
export function mayAdminister(
  accounts: Accounts,
  { user, version, isOperator }: Rights,
): AccountOutcome | undefined {
  if (isOperator === true) return undefined;
  const account = user === undefined ? undefined : accounts.owner(user);
  if (account?.version !== version) return "password_changed";
  if (account?.locked === true) return "account_locked";
  return account?.administrator === true ? undefined : "not_administrator";
}

const parsers: Parsers = {
  register: (data) => ({
    user: readUserName(data.user),
    credential: readText(data, "credential"),
    version: readText(data, "version"),
    looks: readTexts(data.looks),
    isOpen: readFlag(data.isOpen),
    invitation: readTextIfAny(data, "invitation"),
    isUsed: readFlag(data.isUsed),
    rights: data.rights === undefined ? undefined : readRights(data.rights),
  }),
  password: (data) => ({ ...readCredential(data), from: readText(data, "from") }),
  rehash: (data) => ({ credential: readText(data, "credential"), from: readText(data, "from") }),
  reset: (data) => ({
    ...readCredential(data),
    user: readUserName(data.user),
    rights: readRights(data.rights),
  }),
  flag: (data) => ({
    user: readUserName(data.user),
    flag: readOneOf(data.flag, accountFlags),
    isSet: data.isSet === true,
    rights: readRights(data.rights),
  }),
  registration: (data) => ({ ...readRegistration(data), rights: readRights(data.rights) }),
};

function readCredential(data: Fields): Credential {
  return { credential: readText(data, "credential"), version: readText(data, "version") };
}

export function readRegistration(data: Fields): Registration {
  const mode: RegistrationMode = readOneOf(data.mode, registrationModes);
  return { mode, hash: readTextIfAny(data, "hash") };
}

/** Reads an account of a saved state. @throws Error if a field is wrong */
export function readAccount(data: Fields): Account {
  const id = parseRequestId(data.id);
  assert(id !== undefined, "an account has no `id`");
  return {
    user: readUserName(data.user),
    id,
    ...readCredential(data),
    looks: readTexts(data.looks),
    isOpen: readFlag(data.isOpen),
    hasNewPassword: readFlag(data.hasNewPassword),
    locked: readFlag(data.locked),
    administrator: readFlag(data.administrator),
  };
}

export function readRights(value: unknown): Rights {
  const { user, version, isOperator } = fieldsOf(value);
  return {
    user: user === undefined ? undefined : readUserName(user),
    version: readTextIfAny({ version }, "version"),
    isOperator: readFlag(isOperator),
  };
}

function readTextIfAny(data: Fields, field: string): string | undefined {
  return data[field] === undefined ? undefined : readText(data, field);
}

function readTexts(value: unknown): readonly string[] {
  assert(Array.isArray(value), "it is no list of texts");
  return value.map((text) => readText({ text }, "text"));
}

function readOneOf<T extends string>(value: unknown, values: readonly T[]): T {
  const found = values.find((one) => one === value);
  assert(found !== undefined, "it is none of the known words");
  return found;
}
