import assert from "node:assert";
import type { Epoch } from "../../../protocol/epoch.ts";
import type { Fields } from "../../../protocol/fields.ts";
import {
  isServerName,
  readUserName,
  type ServerName,
  type UserName,
} from "../../../protocol/ids.ts";
import { parseClock } from "../../../protocol/lamport-clock.ts";
import { readEpoch } from "../coordinator/coordinator-facts.ts";
import { changeFact } from "../replica/changes.ts";
import type { Fact, FactTable } from "../replica/fact.ts";
import { readFlag, readText } from "../replica/fields.ts";
import { type Placed, writePlace } from "../replica/placed.ts";
import {
  type AccountFlag,
  type Accounts,
  accountFlags,
  type FlagChange,
  flagKey,
  type PasswordChange,
  type RegistrationChange,
  type RegistrationMode,
  registrationModes,
} from "./accounts.ts";

/** For each operation, the data of its events. */
export interface AccountData {
  /** A coordinator proposes a claim (E3). */
  register: {
    readonly user: UserName;
    readonly credential: string;
    readonly epoch: Epoch;
    readonly looks?: readonly string[] | undefined;
    readonly isOpen?: boolean | undefined;
  };
  /** A quorum has accepted the claim whose event has this `server` and `seq`. */
  confirmed: { readonly server: ServerName; readonly seq: number };
  password: Omit<PasswordChange, keyof Placed>;
  account: Omit<FlagChange, keyof Placed>;
  registration: Omit<RegistrationChange, keyof Placed>;
}

export function accountFacts(accounts: Accounts): FactTable<AccountData> {
  return {
    register: register(accounts),
    confirmed: {
      parse: ({ server, seq }) => {
        assert(isServerName(server) && parseClock(seq) !== undefined, "it names no event");
        return { server, seq: seq as number };
      },
      fold: (claim) => accounts.confirm(claim),
      // Nothing is saved here, because the saved claims say whether they are confirmed.
      freeze: () => ({ entries: [] }),
    },
    password: {
      parse: readPasswordChange,
      ...changeFact(accounts.passwords, ({ user }) => user),
      isOldRow: (row) => row.since !== undefined,
    },
    account: {
      parse: readFlagChange,
      ...changeFact(accounts.flags, flagKey),
      isOldRow: (row) => row.flag !== undefined,
    },
    registration: {
      parse: readRegistrationChange,
      ...changeFact(accounts.registrations, () => ""),
      isOldRow: (row) => row.mode !== undefined,
    },
  };
}

function register(accounts: Accounts): Fact<AccountData["register"]> {
  return {
    parse: (data) => ({
      user: readUserName(data.user),
      credential: readText(data, "credential"),
      epoch: readEpoch(data.epoch),
      looks: readLooks(data.looks),
      isOpen: readFlag(data.isOpen),
    }),
    fold: (claim, placed) => accounts.addClaim({ ...claim, ...placed }),
    file: "accounts.json",
    freeze: () => ({ entries: claimEntries(accounts.freezeClaims()) }),
    // The state in memory may already have the claim, but lack the confirmation that the saved
    // claim has.
    recall: ({ confirmed }, claim) => {
      if (confirmed === true) accounts.confirm(claim);
    },
  };
}

function* claimEntries(names: ReturnType<Accounts["freezeClaims"]>): Generator<object> {
  for (const [claim, confirmed] of names) {
    const { user, credential, epoch, looks, isOpen } = claim;
    yield { user, credential, epoch, looks, isOpen, confirmed, ...writePlace(claim) };
  }
}

function readLooks(value: unknown): string[] | undefined {
  if (value === undefined) return undefined;
  assert(Array.isArray(value), "`looks` is not a list");
  return value.map((look) => readText({ looks: look }, "looks"));
}

function readPasswordChange(data: Fields) {
  const since = parseClock(data.since);
  assert(since !== undefined, "`since` is not a clock");
  return {
    user: readUserName(data.user),
    credential: readText(data, "credential"),
    since,
    version: readText(data, "version"),
    by: readUserName(data.by),
  };
}

function readFlagChange({ user, flag, isSet, by }: Fields) {
  assert(accountFlags.includes(flag as AccountFlag), "`flag` is unknown");
  const whose = { user: readUserName(user), flag: flag as AccountFlag };
  return { ...whose, isSet: isSet === true, by: readUserName(by) };
}

function readRegistrationChange({ mode, hash, by }: Fields) {
  assert(registrationModes.includes(mode as RegistrationMode), "`mode` is unknown");
  const known = hash === undefined ? undefined : readText({ hash }, "hash");
  return { mode: mode as RegistrationMode, hash: known, by: readUserName(by) };
}
