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
  /** Proves later who owns the name; opaque. */
  readonly credential: string;
  readonly epoch: Epoch;
  /** The looks that its coordinator found for the name; undefined in claims of older versions. */
  readonly looks?: readonly string[] | undefined;
  /** Whether it was made while the cluster was open. */
  readonly isOpen?: boolean | undefined;
}

/**
 * A password that replaced the claim's. Of several the one set last holds. The same password hashed
 * again keeps `since` and `version`, so that it replaces no later one and ends no session.
 */
export interface PasswordChange extends Change {
  readonly user: UserName;
  readonly credential: string;
  /** The clock of the server that set it, at that moment. */
  readonly since: number;
  readonly version: string;
}

/** What an administrator decided about an account: the last change holds. */
export const accountFlags = ["locked", "administrator"] as const;
export type AccountFlag = (typeof accountFlags)[number];

export interface FlagChange extends Change {
  readonly user: UserName;
  readonly flag: AccountFlag;
  readonly isSet: boolean;
}

/** Who may register: anybody, nobody, or whoever knows the invitation. */
export const registrationModes = ["open", "closed", "invitation"] as const;
export type RegistrationMode = (typeof registrationModes)[number];

export interface RegistrationChange extends Change {
  readonly mode: RegistrationMode;
  /** The hash of the invitation, which itself is stored nowhere. */
  readonly hash: string | undefined;
}

/** What proves that a user is who they say, as of now. */
export interface Credential {
  readonly credential: string;
  readonly since: number;
  /** A session that began with another version has ended. */
  readonly version: string;
}

/**
 * Names that belong to one account forever (E3): a fold of the set of events, in whatever order they
 * come. A claim of epoch k counts if the `coordinator` event of the highest epoch above k covers it,
 * or if no such event exists. A claim that does not count was never acknowledged: it is rolled back.
 */
export class Accounts {
  readonly #terms: CoordinatorTerms;
  readonly #claims = new Map<UserName, Claim[]>();
  readonly #byLook = new NamesByLook<UserName>();
  readonly #confirmed = new Set<string>();
  /** Claimed names that had no owner at the last look. */
  readonly #unowned = new Set<UserName>();
  readonly passwords = new Changes<PasswordChange>(comparePasswords);
  readonly flags = new Changes<FlagChange>();
  readonly registrations = new Changes<RegistrationChange>();
  #version = 0;

  constructor(terms: CoordinatorTerms) {
    this.#terms = terms;
  }

  /** Rises with each fact that the outcome of a claim depends on. */
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

  /** Only a name with an owner has one: nothing is granted on a claim that may still be rolled back. */
  credential(user: UserName): Credential | undefined {
    const owner = this.owner(user);
    if (owner === undefined) return undefined;
    const { credential } = owner;
    return this.passwords.last(user) ?? { credential, since: 0, version: idOf(owner) };
  }

  /** Whether the account has another password than its claim's. */
  hasNewPassword(user: UserName): boolean {
    return this.passwords.last(user) !== undefined;
  }

  has(flag: AccountFlag, user: UserName): boolean {
    return this.flags.last(flagKey({ flag, user }))?.isSet === true;
  }

  get registration(): Pick<RegistrationChange, "mode" | "hash"> {
    return this.registrations.last("") ?? { mode: "open", hash: undefined };
  }

  /** The changes under the request's id: made by earlier copies of it, or of another content. */
  flagChanges(change: Pick<FlagChange, "user" | "flag">, request: RequestKey): FlagChange[] {
    return this.flags.asked(flagKey(change), request);
  }

  /**
   * The claim that holds the name, as far as this replica knows: the newest of those that count;
   * undefined if a newer claim holds a name that looks the same.
   */
  holder(user: UserName): Claim | undefined {
    const newest = this.#claims.get(user)?.findLast((claim) => this.counts(claim));
    return newest === undefined || this.#isOvershadowed(newest) ? undefined : newest;
  }

  /** The claim that holds a name that looks the same, preferably that of an owner. */
  holderLike(user: UserName): Claim | undefined {
    let found: Claim | undefined;
    for (const name of this.#byLook.like(user)) {
      const owner = this.owner(name);
      if (owner !== undefined) return owner;
      found ??= this.holder(name);
    }
    return found;
  }

  /** Compares the looks stored in the claims, not those that this process finds: so replicas agree. */
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

  /** The claim that holds the name for good: it was confirmed, and so counts forever. */
  owner(user: UserName): Claim | undefined {
    return this.#claims.get(user)?.findLast((claim) => this.isConfirmed(claim));
  }

  /** The holding claim of each name without an owner. */
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

  /** All claims, including those that do not count; of each name by epoch. */
  *claims(): Generator<Claim> {
    for (const claims of this.#claims.values()) yield* claims;
  }

  /** A copy as of now: by name each claim, and whether it is confirmed. */
  freezeClaims(): (readonly [claim: Claim, isConfirmed: boolean])[] {
    const names = [...this.#claims].sort(([a], [b]) => (a < b ? -1 : 1));
    return names.flatMap(([, claims]) => {
      return claims.map((claim) => [claim, this.isConfirmed(claim)] as const);
    });
  }
}

/** The thing that the change is of. */
export function flagKey({ flag, user }: Pick<FlagChange, "flag" | "user">): string {
  return `${flag} ${user}`;
}

function comparePasswords(a: PasswordChange, b: PasswordChange): number {
  if (a.since !== b.since) return a.since - b.since;
  if (a.version !== b.version) return a.version < b.version ? -1 : 1;
  return compareOrder(a, b);
}
