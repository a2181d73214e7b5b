import { compareEpochs, type Epoch } from "../../../protocol/epoch.ts";
import { compareOrder } from "../../../protocol/event.ts";
import type { UserName } from "../../../protocol/ids.ts";
import type { ClaimPlace } from "../../../protocol/replies.ts";
import { covers } from "../../../protocol/vector.ts";
import { NamesByLook } from "../chat/names-by-look.ts";
import { type CoordinatorTerms, insertByEpoch } from "../coordinator/coordinator-terms.ts";
import { type Change, Changes, type RequestKey } from "../replica/changes.ts";
import { idOf, nameOf, type Placed } from "../replica/placed.ts";

/** A name that a coordinator proposed for an account. */
export interface Claim extends Placed {
  readonly user: UserName;
  /** The hash of the owner's password; opaque here. */
  readonly credential: string;
  readonly epoch: Epoch;
  /**
   * The looks of the name as the claim's coordinator computed them; undefined in claims of older
   * versions.
   */
  readonly looks?: readonly string[] | undefined;
  /** Whether the claim was made while the cluster ran with `--auth open`. */
  readonly isOpen?: boolean | undefined;
}

/**
 * A password that replaces the password of the claim. The change with the highest `since` is in
 * force. A login may store the same password with a new hash. Such a change copies `since` and
 * `version`, so that it replaces no password set later and ends no session.
 */
export interface PasswordChange extends Change {
  readonly user: UserName;
  readonly credential: string;
  /** The Lamport clock of the server that set the password, at that moment. */
  readonly since: number;
  readonly version: string;
}

/** The flags that an administrator sets on an account; the last change of each flag is in force. */
export const accountFlags = ["locked", "administrator"] as const;
export type AccountFlag = (typeof accountFlags)[number];

export interface FlagChange extends Change {
  readonly user: UserName;
  readonly flag: AccountFlag;
  readonly isSet: boolean;
}

/** Who may register besides administrators: anybody, nobody, or whoever knows the invitation. */
export const registrationModes = ["open", "closed", "invitation"] as const;
export type RegistrationMode = (typeof registrationModes)[number];

export interface RegistrationChange extends Change {
  readonly mode: RegistrationMode;
  /** The hash of the invitation; the invitation itself is stored nowhere. */
  readonly hash: string | undefined;
}

/** The hash of a user's present password. */
export interface Credential {
  readonly credential: string;
  readonly since: number;
  /** Sessions with another version are no longer valid. */
  readonly version: string;
}

/**
 * All claims and accounts (E3). A name belongs to one account forever. The state depends on the set
 * of events, not on the order in which they come. A claim counts if no `coordinator` event has a
 * higher epoch than the claim. Otherwise it counts if the vector `sees` of the event with the
 * highest epoch covers the claim. A claim that does not count is ignored; no reply has reported its
 * success.
 */
export class Accounts {
  readonly #terms: CoordinatorTerms;
  readonly #claims = new Map<UserName, Claim[]>();
  readonly #byLook = new NamesByLook<UserName>();
  readonly #confirmed = new Set<string>();
  /** The claimed names that had no owner when `unowned` last ran, and names claimed since then. */
  readonly #unowned = new Set<UserName>();
  readonly passwords = new Changes<PasswordChange>(comparePasswords);
  readonly flags = new Changes<FlagChange>();
  readonly registrations = new Changes<RegistrationChange>();
  #version = 0;

  constructor(terms: CoordinatorTerms) {
    this.#terms = terms;
  }

  /** Rises with each event that can change the outcome of a claim. */
  get version(): number {
    return this.#version + this.#terms.version;
  }

  addClaim(claim: Claim): void {
    const claims = this.#claims.get(claim.user);
    if (claims === undefined) this.#claims.set(claim.user, [claim]);
    else insertByEpoch(claims, claim);
    this.#byLook.add(claim.user, claim.looks);
    this.#unowned.add(claim.user);
    this.#version += 1;
  }

  confirm(claim: ClaimPlace): void {
    this.#confirmed.add(nameOf(claim));
    this.#version += 1;
  }

  /**
   * Returns the user's present credential. Returns undefined for a name without an owner, because
   * an unconfirmed claim must grant nothing.
   */
  credential(user: UserName): Credential | undefined {
    const owner = this.owner(user);
    if (owner === undefined) return undefined;
    const { credential } = owner;
    return this.passwords.last(user) ?? { credential, since: 0, version: idOf(owner) };
  }

  /** Whether the password was changed after the claim. */
  hasNewPassword(user: UserName): boolean {
    return this.passwords.last(user) !== undefined;
  }

  has(flag: AccountFlag, user: UserName): boolean {
    return this.flags.last(flagKey({ flag, user }))?.isSet === true;
  }

  get registration(): Pick<RegistrationChange, "mode" | "hash"> {
    return this.registrations.last("") ?? { mode: "open", hash: undefined };
  }

  /**
   * Returns the flag's changes with the request's id. They are by copies of the request, or by
   * requests with other content.
   */
  flagChanges(change: Pick<FlagChange, "user" | "flag">, request: RequestKey): FlagChange[] {
    return this.flags.asked(flagKey(change), request);
  }

  /**
   * Returns the claim that holds the name: the claim of the highest epoch among those that count.
   * Returns undefined if a claim of a higher epoch holds another name with the same looks.
   */
  holder(user: UserName): Claim | undefined {
    const newest = this.#claims.get(user)?.findLast((claim) => this.counts(claim));
    return newest === undefined || this.#isOvershadowed(newest) ? undefined : newest;
  }

  /**
   * Returns a claim that holds a name with the same looks as `user`, preferably a confirmed claim.
   */
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
   * Whether a claim of a higher epoch that counts is for another name with the same looks. Compares
   * the looks stored in the claims, because a replica with another version of Unicode would compute
   * other looks.
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

  /** Returns the confirmed claim of the name, which owns the name forever. */
  owner(user: UserName): Claim | undefined {
    return this.#claims.get(user)?.findLast((claim) => this.isConfirmed(claim));
  }

  /** For each claimed name without an owner, yields the claim that holds the name. */
  *unowned(): Generator<Claim> {
    for (const user of this.#unowned) {
      if (this.owner(user) !== undefined) this.#unowned.delete(user);
      const holder = this.#unowned.has(user) ? this.holder(user) : undefined;
      if (holder !== undefined) yield holder;
    }
  }

  counts(claim: Claim): boolean {
    const highest = this.#terms.last;
    if (highest === undefined || compareEpochs(highest.epoch, claim.epoch) <= 0) return true;
    return covers(highest.sees, { [claim.server]: claim.seq });
  }

  isConfirmed(claim: ClaimPlace): boolean {
    return this.#confirmed.has(nameOf(claim));
  }

  /**
   * Yields all claims, including claims that do not count; the claims of each name by rising epoch.
   */
  *claims(): Generator<Claim> {
    for (const claims of this.#claims.values()) yield* claims;
  }

  /**
   * Returns a copy of all claims, sorted by name, each paired with whether the claim is confirmed.
   */
  freezeClaims(): (readonly [claim: Claim, isConfirmed: boolean])[] {
    const names = [...this.#claims].sort(([a], [b]) => (a < b ? -1 : 1));
    return names.flatMap(([, claims]) => {
      return claims.map((claim) => [claim, this.isConfirmed(claim)] as const);
    });
  }
}

export function flagKey({ flag, user }: Pick<FlagChange, "flag" | "user">): string {
  return `${flag} ${user}`;
}

function comparePasswords(a: PasswordChange, b: PasswordChange): number {
  if (a.since !== b.since) return a.since - b.since;
  if (a.version !== b.version) return a.version < b.version ? -1 : 1;
  return compareOrder(a, b);
}
