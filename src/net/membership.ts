import { type CurveKeys, type CurvePair, memberKey } from "../platform/curve.ts";
import { passwordOf } from "../platform/endpoint.ts";
import type { Log } from "../platform/log.ts";
import type { Purpose, Secret } from "../platform/secret.ts";
import type { LamportClock } from "../protocol/lamport-clock.ts";
import type { Door } from "../zmtp/handshake.ts";
import type { Entrance } from "./listener.ts";
import { ReferenceLink } from "./reference-link.ts";
import { ReferenceWatch } from "./reference-watch.ts";
import { Refusals } from "./refusals.ts";
import { Seals } from "./seal.ts";

interface MembershipOptions {
  readonly secret: Secret;
  /** The key pairs of an encrypted cluster; undefined if the cluster is not encrypted. */
  readonly keys?: CurveKeys | undefined;
  /**
   * Returns this process's name. It is a function, because the name may become known only after the
   * first question is sent.
   */
  readonly self: () => string;
  readonly clock: LamportClock;
  readonly log: Log;
}

/** Makes the seals and connections that prove that this process has the cluster's secret (X1). */
export class Membership {
  readonly refusals: Refusals;
  readonly #options: MembershipOptions;

  constructor(options: MembershipOptions) {
    const { secret, log } = options;
    this.#options = options;
    this.refusals = new Refusals(log, secret.origin);
    if (secret.warning !== undefined) log.warn(secret.warning);
  }

  /**
   * Returns the seals for one purpose. The seals accept only messages whose counter is above this
   * process's clock at the time of this call.
   */
  seals(purpose: Purpose): Seals {
    const { secret, self, clock } = this.#options;
    return new Seals({ key: secret.deriveKey(purpose), self, clock, refusals: this.refusals });
  }

  /** Opens a member's connection to the reference; its questions are sealed. */
  referenceLink(endpoints: readonly string[]): ReferenceLink {
    const { clock, log } = this.#options;
    const watch = new ReferenceWatch(endpoints, log);
    const link = new ReferenceLink(endpoints, clock, { seals: this.seals("reference"), watch });
    link.onRefusal = (refusal) => {
      if (refusal !== undefined) this.refusals.byReference(refusal);
    };
    return link;
  }

  /**
   * Accepts every process; in an encrypted cluster, every process that has the cluster's public
   * key.
   */
  get forGuests(): Entrance {
    return this.#entrance(guestDoor(this.#options.keys));
  }

  /** Accepts members; with `withGuests`, also guests. */
  forMembers({ withGuests = false } = {}): Entrance {
    const { secret, keys } = this.#options;
    const door = memberDoor(secret, keys);
    return withGuests ? this.#entrance(door, guestDoor(keys)) : this.#entrance(door);
  }

  #entrance(...doors: Door[]): Entrance {
    const onRefused = (endpoint: string, why: string) => this.refusals.connection(endpoint, why);
    return { doors, onRefused };
  }
}

export function guestDoor(keys: CurveKeys | undefined): Door {
  return keys === undefined ? { mechanism: "NULL" } : curveDoor(keys);
}

export function memberDoor(secret: Secret, keys: CurveKeys | undefined): Door {
  if (keys !== undefined) return curveDoor(keys.members);
  const password = Buffer.from(passwordOf(memberKey(secret, keys)) ?? "");
  return { mechanism: "PLAIN", password };
}

function curveDoor({ publicKey, secretKey }: CurvePair): Door {
  const keys = { publicKey: Buffer.from(publicKey, "hex"), secretKey: secretKey.export() };
  return { mechanism: "CURVE", keys };
}
