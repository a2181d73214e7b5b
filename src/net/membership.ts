import { type CurveKeys, type CurvePair, curveKeys, memberKey } from "../platform/curve.ts";
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
    return new Seals({ keys: secret.deriveKeys(purpose), self, clock, refusals: this.refusals });
  }

  /** What a member's heartbeats tell about its secrets and the messages that it has dropped. */
  get selfReport() {
    const { fingerprints: secrets } = this.#options.secret;
    return { secrets, refused: this.refusals.counts };
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
    return this.#entrance(guestDoors(this.#options));
  }

  /** Accepts members; with `withGuests`, also guests. */
  forMembers({ withGuests = false } = {}): Entrance {
    const doors = memberDoors(this.#options);
    return this.#entrance(withGuests ? [...doors, ...guestDoors(this.#options)] : doors);
  }

  #entrance(doors: readonly Door[]): Entrance {
    const onRefused = (endpoint: string, why: string) => this.refusals.connection(endpoint, why);
    return { doors, onRefused };
  }
}

type Keyed = Pick<MembershipOptions, "secret" | "keys">;

/** Returns the doors for every process: in an encrypted cluster, one for each secret's key (O55). */
export function guestDoors({ secret, keys }: Keyed): readonly Door[] {
  if (keys === undefined) return [{ mechanism: "NULL" }];
  return secret.each.map((one) => curveDoor(curveKeys(one)));
}

/** Returns the doors for members only: one for each secret (O55). */
export function memberDoors({ secret, keys }: Keyed): readonly Door[] {
  return secret.each.map((one): Door => {
    if (keys !== undefined) return curveDoor(curveKeys(one).members);
    const password = Buffer.from(passwordOf(memberKey(one, undefined)) ?? "");
    return { mechanism: "PLAIN", password };
  });
}

function curveDoor({ publicKey, secretKey }: CurvePair): Door {
  const keys = { publicKey: Buffer.from(publicKey, "hex"), secretKey: secretKey.export() };
  return { mechanism: "CURVE", keys };
}
