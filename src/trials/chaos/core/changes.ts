import { grouped } from "./names.ts";

/**
 * Compares the answers to clients that raced to change passwords and locks (D5, D9) with what the
 * replicas' disks have after the run.
 */

/** One client's change of an account. All copies of the change have the same id. */
export interface Change {
  /** An owner changes the password, or an administrator locks or unlocks the account. */
  readonly kind: "password" | "lock";
  readonly user: string;
  readonly client: string;
  /** The user for whom the log decides it. */
  readonly by: string;
  readonly id: string;
  /** The new password, or `locked`, or `unlocked`. */
  readonly value: string;
  /** The slots that the answers named, oldest first; every answer must name the same slot. */
  readonly told: readonly number[];
  /** The code of an answer that says that nothing was changed. */
  readonly refused?: string;
  /** Whether the client has stopped sending the change. It may have been done nevertheless. */
  readonly isGivenUp: boolean;
}

/** What a replica keeps of one user's operations (D9). */
export interface KeptOperations {
  readonly kept: readonly {
    readonly id: string;
    readonly slot: number;
    readonly outcome: string;
  }[];
  readonly floor: number;
}

/** What one replica's disk says after a clean stop. */
export interface ChangedReplica {
  readonly replica: string;
  /** For each account, which of the tried passwords is right; undefined if none is. */
  readonly passwords: ReadonlyMap<string, string | undefined>;
  readonly locked: ReadonlySet<string>;
  readonly operations: ReadonlyMap<string, KeptOperations>;
}

export interface ChangeObservations {
  readonly changes: readonly Change[];
  readonly changed: readonly ChangedReplica[];
}

export const changeRules = [
  /** Several clients were told that they changed the same password from the same old one. */
  "changedTwice",
  /** A replica has another password, or another lock, than clients were told. */
  "misset",
  /** The log of a replica does not have an outcome that a client was told. */
  "forgotten",
] as const;

export interface ChangeViolation {
  readonly rule: (typeof changeRules)[number] | "contradicted" | "undecided";
  readonly detail: string;
}

/** The password of each account before the race. */
export const firstPassword = "the first password";

export function checkChanges({ changes, changed }: ChangeObservations): ChangeViolation[] {
  const accounts = [...grouped(changes, ({ kind, user }) => `${kind} of ${user}`)];
  return [
    ...accounts.flatMap(([what, rivals]) => changedTwice(what, rivals)),
    ...changes.flatMap(contradicted),
    ...changed.flatMap((replica) => accounts.flatMap(([what, all]) => misset(what, all, replica))),
    ...changed.flatMap((replica) => changes.flatMap((change) => forgotten(change, replica))),
    ...changes.flatMap(undecided),
  ];
}

function isTold({ told }: Change): boolean {
  return told.length > 0;
}

function changedTwice(what: string, rivals: readonly Change[]): ChangeViolation[] {
  const winners = rivals.filter((change) => change.kind === "password" && isTold(change));
  if (winners.length < 2) return [];
  const clients = winners.map(({ client }) => client).join(" and ");
  return [{ rule: "changedTwice", detail: `${clients} were both told OK for the ${what}` }];
}

function contradicted({ kind, user, client, told, refused }: Change): ChangeViolation[] {
  const answers = [...new Set(told)].map((slot) => `slot ${slot}`);
  if (refused !== undefined) answers.push(refused);
  if (answers.length < 2) return [];
  const detail = `${client}, for the ${kind} of ${user}, was told ${answers.join(", then ")}`;
  return told.length === 0 ? [] : [{ rule: "contradicted", detail }];
}

function misset(
  what: string,
  all: readonly Change[],
  { replica, passwords, locked }: ChangedReplica,
): ChangeViolation[] {
  const [{ kind, user } = { kind: "lock", user: "" }] = all;
  const value = kind === "lock" ? (locked.has(user) ? "locked" : "unlocked") : passwords.get(user);
  const right = kind === "lock" ? rightLocks(all) : rightPasswords(all);
  if (right === undefined || (value !== undefined && right.has(value))) return [];
  const should = [...right].join(" or ");
  return [{ rule: "misset", detail: `the ${what} is ${value} and not ${should} (${replica})` }];
}

/** An old password is changed once only, so nothing comes after the change that was told. */
function rightPasswords(all: readonly Change[]): Set<string> {
  const told = all.filter(isTold);
  if (told.length > 0) return new Set(told.map(({ value }) => value));
  const perhaps = all.filter(({ isGivenUp }) => isGivenUp).map(({ value }) => value);
  const isLost = all.some(({ refused }) => refused !== undefined);
  return new Set(isLost ? perhaps : [...perhaps, firstPassword]);
}

/** @returns undefined if any value is right */
function rightLocks(all: readonly Change[]): Set<string> | undefined {
  const last = Math.max(...all.flatMap(({ told }) => told));
  if (last === Number.NEGATIVE_INFINITY) return undefined;
  const right = all.filter(({ told, isGivenUp }) => told.includes(last) || isGivenUp);
  return new Set(right.map(({ value }) => value));
}

function forgotten(change: Change, { replica, operations }: ChangedReplica): ChangeViolation[] {
  const { kind, user, client, by, id, told } = change;
  const [slot] = told;
  if (slot === undefined) return [];
  const { kept = [], floor = 0 } = operations.get(by) ?? {};
  const known = kept.find((one) => one.id === id);
  if (known === undefined ? floor >= slot : known.slot === slot && known.outcome === "done") {
    return [];
  }
  const is = known === undefined ? "nothing" : `${known.outcome} in slot ${known.slot}`;
  const detail = `${client}'s ${kind} of ${user} was told in slot ${slot}, and ${replica} has ${is}`;
  return [{ rule: "forgotten", detail }];
}

function undecided({ kind, user, client, told, refused, isGivenUp }: Change): ChangeViolation[] {
  if (told.length > 0 || refused !== undefined || isGivenUp) return [];
  const detail = `the ${kind} of ${user} by ${client} was never decided`;
  return [{ rule: "undecided", detail }];
}
