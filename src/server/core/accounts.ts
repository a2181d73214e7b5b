import { compareEpochs, type Epoch, noEpoch } from "../../protocol/epoch.ts";
import { compareOrder } from "../../protocol/event.ts";
import type { ServerName, UserName } from "../../protocol/ids.ts";
import { covers, type Vector } from "../../protocol/vector.ts";
import type { Placed } from "./placed.ts";

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
}

/** The claims of a name, and whether each is confirmed. */
export interface FrozenClaims {
  readonly user: UserName;
  readonly claims: readonly (readonly [claim: Claim, isConfirmed: boolean])[];
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
  /** Rises with each change. */
  version = 0;
  readonly offices: Office[] = [];
  readonly #claims = new Map<UserName, Claim[]>();
  readonly #confirmed = new Set<string>();
  /** Names that were claimed and, when last looked at, had no owner. */
  readonly #unowned = new Set<UserName>();

  addOffice(office: Office): void {
    insertByEpoch(this.offices, office);
    this.version += 1;
  }

  addClaim(claim: Claim): void {
    const claims = this.#claims.get(claim.user);
    if (claims === undefined) this.#claims.set(claim.user, [claim]);
    else insertByEpoch(claims, claim);
    this.#unowned.add(claim.user);
    this.version += 1;
  }

  confirm(claim: EventName): void {
    this.#confirmed.add(nameOf(claim));
    this.version += 1;
  }

  /** The highest epoch that an office was entered in. */
  get highestEpoch(): Epoch {
    return this.offices.at(-1)?.epoch ?? noEpoch;
  }

  office(epoch: Epoch): Office | undefined {
    return this.offices.findLast((office) => compareEpochs(office.epoch, epoch) === 0);
  }

  /** The claim that the name is held by, by all that this replica has: of several the newest. */
  holder(user: UserName): Claim | undefined {
    return this.#claims.get(user)?.findLast((claim) => this.counts(claim));
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
