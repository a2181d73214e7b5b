import { type Fields, fieldsOf } from "../../../protocol/fields.ts";
import type { DecidedState } from "../decisions/decision-facts.ts";
import { enclosed, type Fact } from "../replica/fact.ts";
import { readAccount, readRegistration } from "./account-operations.ts";
import type { Account, Accounts } from "./accounts.ts";

const file = "accounts.json";

/** The kinds of events by which servers of an older version wrote accounts (O60). */
export const formerKinds = [
  "register",
  "confirmed",
  "password",
  "account",
  "registration",
] as const;

/** Their data is not read, and changes nothing. */
export type FormerData = { readonly [O in (typeof formerKinds)[number]]: object };

export function formerFacts(accounts: Accounts): { readonly [O in keyof FormerData]: Fact } {
  const fact: Fact = {
    parse: () => ({}),
    fold: () => {
      accounts.hasFormer = true;
    },
    freeze: () => ({ entries: [] }),
    isOldRow: ({ since, flag, mode }) => [since, flag, mode].some((value) => value !== undefined),
  };
  return { register: fact, confirmed: fact, password: fact, account: fact, registration: fact };
}

/** The accounts in a saved state, one a line; a row says who may register. */
export function savedAccounts(accounts: Accounts): DecidedState {
  return {
    rows: ["decided"],
    freeze: () => {
      const lines = enclosed("[", "]", written(accounts.all()));
      const row = { operation: "decided", registration: accounts.registration };
      return { files: [{ name: file, lines }], rows: [row] };
    },
    restore: (saved, [row]) => {
      const { registration } = fieldsOf(row);
      accounts.clear();
      accounts.registration = readRegistration(fieldsOf(registration));
      for (const line of saved.entries(file)) accounts.set(readAccount(JSON.parse(line) as Fields));
    },
    noteFormer: (saved) => {
      for (const _ of saved.entries(file)) accounts.hasFormer = true;
    },
  };
}

/** The lines have their fields in one order, so that equal accounts have equal bytes (R4). */
function* written(accounts: readonly Account[]): Generator<string> {
  for (const { user, id, credential, version, looks, ...flags } of accounts) {
    const { isOpen, hasNewPassword, locked, administrator } = flags;
    const own = { user, id, credential, version, looks };
    yield JSON.stringify({ ...own, isOpen, hasNewPassword, locked, administrator });
  }
}
