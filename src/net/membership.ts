import type { CurveKeys } from "../platform/curve.ts";
import type { Log } from "../platform/log.ts";
import type { Purpose, Secret } from "../platform/secret.ts";
import type { LamportClock } from "../protocol/lamport-clock.ts";
import type { ForwarderEntrance } from "./forwarder.ts";
import { ReferenceLink } from "./reference-link.ts";
import { Refusals } from "./refusals.ts";
import { Seals } from "./seal.ts";

export interface MembershipOptions {
  readonly secret: Secret;
  /** Where the cluster is encrypted. */
  readonly keys?: CurveKeys | undefined;
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

  /** A connection to the reference, as a member's. */
  referenceLink(endpoints: readonly string[]): ReferenceLink {
    const link = new ReferenceLink(endpoints, this.#options.clock, this.seals("reference"));
    link.onRefusal = (refusal) => {
      if (refusal !== undefined) this.refusals.byReference(refusal);
    };
    return link;
  }

  /** How this member's sockets are bound. */
  get entrance(): ForwarderEntrance {
    const onRefused = (endpoint: string, why: string) => this.refusals.connection(endpoint, why);
    return { keys: this.#options.keys, onRefused };
  }
}
