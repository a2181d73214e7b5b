import { compareEpochs, type Epoch, noEpoch } from "../../../protocol/epoch.ts";
import { compareOrder } from "../../../protocol/event.ts";
import type { ChannelName, RequestId, ServerName, UserName } from "../../../protocol/ids.ts";
import { limits } from "../../../protocol/limits.ts";
import { covers, type Vector } from "../../../protocol/vector.ts";
import { NamesByLook } from "../chat/names-by-look.ts";
import { idOf, type Placed } from "../replica/placed.ts";

/** A coordinator's entry into office. */
export interface Office extends Placed {
  readonly epoch: Epoch;
  /** All that a quorum had on disk when it promised the epoch: what stands outside was in vain. */
  readonly sees: Vector;
}

/** A name that a coordinator proposed for an account. */
export interface Claim extends Placed {
  readonly user: UserName;
  /** What proves later who owns the name; opaque. */
  readonly credential: string;
  readonly epoch: Epoch;
  /** What its coordinator found that the name looks like; undefined in claims of older versions. */
  readonly looks?: readonly string[] | undefined;
  /** Whether it was made while the cluster was open. */
  readonly isOpen?: boolean | undefined;
}

/** The claims of a name, and whether each is confirmed. */
export interface FrozenClaims {
  readonly user: UserName;
  readonly claims: readonly (readonly [claim: Claim, isConfirmed: boolean])[];
}

/** Who made a change: a request's id is his own (R6). */
interface Change extends Placed {
  readonly by: UserName;
}

/**
 * A password that took the place of the claim's. Of several the one set last holds; the same
 * password hashed anew keeps `since` and `version`, so that no later one and no session ends by it.
 */
export interface PasswordChange extends Change {
  readonly user: UserName;
  readonly credential: string;
  /** The clock of whoever set it, as of then. */
  readonly since: number;
  readonly version: string;
}

/** What an administrator decided about an account: the last word holds. */
export const accountFlags = ["locked", "administrator"] as const;
export type AccountFlag = (typeof accountFlags)[number];

export interface FlagChange extends Change {
  readonly user: UserName;
  readonly flag: AccountFlag;
  readonly isSet: boolean;
}

/** Who may register: anybody, nobody, or who knows the invitation. */
export const registrationModes = ["open", "closed", "invitation"] as const;
export type RegistrationMode = (typeof registrationModes)[number];

export interface RegistrationChange extends Change {
  readonly mode: RegistrationMode;
  /** Of the invitation, which is stored nowhere. */
  readonly hash: string | undefined;
}

/** An administrator took a channel away, or gave it back; of several changes the last one holds. */
export interface ChannelChange extends Change {
  readonly channel: ChannelName;
  readonly isRemoved: boolean;
}

export type AccountChange = PasswordChange | FlagChange | RegistrationChange | ChannelChange;

/** What proves who somebody is, as of now. */
export interface Credential {
  readonly credential: string;
  readonly since: number;
  /** A session that began with another one has ended. */
  readonly version: string;
}

/** What names an event. */
export interface EventName {
  readonly server: ServerName;
  readonly seq: number;
}

/**
 * Names that belong to one account forever (E3): a fold of the set of events, whatever order they
 * come in. A claim of epoch k counts iff the `coordinator` event of the highest epoch above k
 * covers it, or there is none: one that doesn't was never acknowledged, and is thereby rolled back.
 */
export class Accounts {
  /** Rises with each fact about claims. */
  version = 0;
  readonly offices: Office[] = [];
  readonly #claims = new Map<UserName, Claim[]>();
  readonly #byLook = new NamesByLook<UserName>();
  readonly #confirmed = new Set<string>();
  /** Names that were claimed and, when last looked at, had no owner. */
  readonly #unowned = new Set<UserName>();
  /** The newest of each: the last one holds, those before tell a request that comes again. */
  readonly #passwords = new Map<UserName, PasswordChange[]>();
  readonly #flags = new Map<string, FlagChange[]>();
  readonly #registrations: RegistrationChange[] = [];
  readonly #channels = new Map<ChannelName, ChannelChange[]>();

  addOffice(office: Office): void {
    insertByEpoch(this.offices, office);
    this.version += 1;
  }

  addClaim(claim: Claim): void {
    const claims = this.#claims.get(claim.user);
    if (claims === undefined) this.#claims.set(claim.user, [claim]);
    else insertByEpoch(claims, claim);
    this.#byLook.add(claim.user, claim.looks);
    this.#unowned.add(claim.user);
    this.version += 1;
  }

  confirm(claim: EventName): void {
    this.#confirmed.add(nameOf(claim));
    this.version += 1;
  }

  changePassword(change: PasswordChange): void {
    insertNewest(listOf(this.#passwords, change.user), change, comparePasswords);
  }

  changeFlag(change: FlagChange): void {
    insertNewest(listOf(this.#flags, flagKey(change)), change, compareOrder);
  }

  changeRegistration(change: RegistrationChange): void {
    insertNewest(this.#registrations, change, compareOrder);
  }

  changeChannel(change: ChannelChange): void {
    insertNewest(listOf(this.#channels, change.channel), change, compareOrder);
  }

  isRemoved(channel: ChannelName): boolean {
    return this.#channels.get(channel)?.at(-1)?.isRemoved === true;
  }

  /** Nothing is granted on a claim that may still fall: only who owns the name has one. */
  credential(user: UserName): Credential | undefined {
    const owner = this.owner(user);
    if (owner === undefined) return undefined;
    const { credential } = owner;
    return this.#passwords.get(user)?.at(-1) ?? { credential, since: 0, version: idOf(owner) };
  }

  /** Whether the account has another password than its claim's. */
  hasNewPassword(user: UserName): boolean {
    return this.#passwords.has(user);
  }

  has(flag: AccountFlag, user: UserName): boolean {
    return this.#flags.get(flagKey({ flag, user }))?.at(-1)?.isSet === true;
  }

  get registration(): Pick<RegistrationChange, "mode" | "hash"> {
    return this.#registrations.at(-1) ?? { mode: "open", hash: undefined };
  }

  /** Changes under the request's id: of an earlier copy of it, or of another content. */
  passwordChanges(user: UserName, request: Asked): PasswordChange[] {
    return allAsked(this.#passwords.get(user), request);
  }

  flagChanges(change: Pick<FlagChange, "user" | "flag">, request: Asked): FlagChange[] {
    return allAsked(this.#flags.get(flagKey(change)), request);
  }

  registrationChanges(request: Asked): RegistrationChange[] {
    return allAsked(this.#registrations, request);
  }

  channelChanges(channel: ChannelName, request: Asked): ChannelChange[] {
    return allAsked(this.#channels.get(channel), request);
  }

  /** All changes that are kept. */
  changes(): AccountChange[] {
    const lists = [this.#passwords, this.#flags, this.#channels].map((map) => [...map.values()]);
    return [...lists.flat(2), ...this.#registrations];
  }

  /** The highest epoch that an office was entered in. */
  get highestEpoch(): Epoch {
    return this.offices.at(-1)?.epoch ?? noEpoch;
  }

  office(epoch: Epoch): Office | undefined {
    return this.offices.findLast((office) => compareEpochs(office.epoch, epoch) === 0);
  }

  /**
   * The claim that holds the name, as far as this replica knows: of several that count, the newest.
   * None, if a newer claim holds a name that looks the same.
   */
  holder(user: UserName): Claim | undefined {
    const newest = this.#claims.get(user)?.findLast((claim) => this.counts(claim));
    return newest === undefined || this.#isOvershadowed(newest) ? undefined : newest;
  }

  /** The claim that holds a name that looks the same; an owner's claim if there is one. */
  holderLike(user: UserName): Claim | undefined {
    let found: Claim | undefined;
    for (const name of this.#byLook.like(user)) {
      const owner = this.owner(name);
      if (owner !== undefined) return owner;
      found ??= this.holder(name);
    }
    return found;
  }

  /**
   * Compares the looks in the claims, not those that this process would find: so all replicas
   * agree.
   */
  #isOvershadowed({ user, epoch, looks = [] }: Claim): boolean {
    return looks.some((look) => {
      for (const name of this.#byLook.with(look)) {
        if (name === user) continue;
        const isNewer = (other: Claim) => compareEpochs(other.epoch, epoch) > 0;
        const isLike = (other: Claim) => other.looks?.includes(look) === true;
        const others = this.#claims.get(name) ?? [];
        if (others.some((other) => isNewer(other) && isLike(other) && this.counts(other))) {
          return true;
        }
      }
      return false;
    });
  }

  /** The claim that the name is held by for good: it was confirmed, and so it counts forever. */
  owner(user: UserName): Claim | undefined {
    return this.#claims.get(user)?.findLast((claim) => this.isConfirmed(claim));
  }

  /** Of each name without an owner, the claim that holds it. */
  *unowned(): Generator<Claim> {
    for (const user of this.#unowned) {
      if (this.owner(user) !== undefined) this.#unowned.delete(user);
      const holder = this.#unowned.has(user) ? this.holder(user) : undefined;
      if (holder !== undefined) yield holder;
    }
  }

  counts(claim: Claim): boolean {
    const highest = this.offices.at(-1);
    if (highest === undefined || compareEpochs(highest.epoch, claim.epoch) <= 0) return true;
    return covers(highest.sees, { [claim.server]: claim.seq });
  }

  isConfirmed(claim: EventName): boolean {
    return this.#confirmed.has(nameOf(claim));
  }

  /** All claims, those that don't count too: of each name by epoch. */
  *claims(): Generator<Claim> {
    for (const claims of this.#claims.values()) yield* claims;
  }

  /** A copy as of now, of references. */
  freeze(): FrozenClaims[] {
    return [...this.#claims].map(([user, claims]) => ({
      user,
      claims: claims.map((claim) => [claim, this.isConfirmed(claim)] as const),
    }));
  }
}

/** A request by what tells it from others: without an id it is like none before it (R6). */
interface Asked {
  readonly id: RequestId | undefined;
  readonly by: UserName;
}

function allAsked<T extends Change>(list: readonly T[] = [], asked: Asked): T[] {
  if (asked.id === undefined) return [];
  return list.filter(({ id, by }) => id === asked.id && by === asked.by);
}

function flagKey({ flag, user }: Pick<FlagChange, "flag" | "user">): string {
  return `${flag} ${user}`;
}

function listOf<K, T>(lists: Map<K, T[]>, key: K): T[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}

/** The same list whatever order its changes came in: the newest of the set (R4). */
function insertNewest<T extends Change>(list: T[], item: T, compare: (a: T, b: T) => number): void {
  list.splice(list.findLastIndex((other) => compare(other, item) < 0) + 1, 0, item);
  if (list.length > limits.accountChanges) list.shift();
}

function comparePasswords(a: PasswordChange, b: PasswordChange): number {
  if (a.since !== b.since) return a.since - b.since;
  if (a.version !== b.version) return a.version < b.version ? -1 : 1;
  return compareOrder(a, b);
}

function nameOf({ server, seq }: EventName): string {
  return `${server}/${seq}`;
}

/** By epoch, within one by the total order: the same list whatever order it came in. */
function insertByEpoch<T extends Placed & { readonly epoch: Epoch }>(list: T[], item: T): void {
  const at = list.findLastIndex((other) => {
    return (compareEpochs(other.epoch, item.epoch) || compareOrder(other, item)) < 0;
  });
  list.splice(at + 1, 0, item);
}
