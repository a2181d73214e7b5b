import type { Log } from "../platform/log.ts";
import type { Purpose, Secret } from "../platform/secret.ts";
import type { LamportClock } from "../protocol/lamport-clock.ts";
import { Refusals } from "./refusals.ts";
import { Seals } from "./seal.ts";

export interface MembershipOptions {
  readonly secret: Secret;
  /** This process's name; it may come after the first question. */
  readonly self: () => string;
  readonly clock: LamportClock;
  readonly log: Log;
}

/** A process that has the cluster's secret, and so may speak as a member (X1). */
export class Membership {
  readonly refusals: Refusals;
  readonly #options: MembershipOptions;

  constructor(options: MembershipOptions) {
    const { secret, log } = options;
    this.#options = options;
    this.refusals = new Refusals(log, secret.origin);
    if (secret.warning !== undefined) log.warn(secret.warning);
  }

  /** One channel's seals; from now on, only what is above the present clock counts there. */
  seals(purpose: Purpose): Seals {
    const { secret, self, clock } = this.#options;
    return new Seals({ key: secret.deriveKey(purpose), self, clock, refusals: this.refusals });
  }
}
