import { createHash, createHmac, type KeyObject, timingSafeEqual } from "node:crypto";
import { randomHex } from "../platform/random.ts";
import type { Secret } from "../platform/secret.ts";
import type { MatchId } from "../protocol/matches.ts";
import { Recent } from "../protocol/recent.ts";
import type { Chance } from "./core/invitations.ts";
import type { Signer } from "./core/match-event.ts";

/** The most keys of matches that are remembered. */
const mostKeys = 10_000;

/** Signs events with a key that is derived from the cluster's secret for one match. */
export class MatchSigner implements Signer {
  readonly #secrets: readonly KeyObject[];
  readonly #keys = new Recent<MatchId, readonly Buffer[]>(mostKeys);

  constructor(secret: Secret) {
    this.#secrets = secret.deriveKeys("match");
  }

  sign(match: MatchId, text: string): string {
    return hmac(this.#keysOf(match)[0] as Buffer, text).toString("hex");
  }

  isSigned(match: MatchId, text: string, signature: string): boolean {
    const given = Buffer.from(signature, "hex");
    return this.#keysOf(match).some((key) => {
      const right = hmac(key, text);
      return given.length === right.length && timingSafeEqual(given, right);
    });
  }

  #keysOf(match: MatchId): readonly Buffer[] {
    const known = this.#keys.get(match);
    if (known !== undefined) return known;
    const keys = this.#secrets.map((secret) => hmac(secret, match));
    this.#keys.set(match, keys);
    return keys;
  }
}

function hmac(key: KeyObject | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

export const chance: Chance = {
  matchId: () => randomHex(8) as MatchId,
  seed: () => randomHex(16),
  hashOf: (seed) => createHash("sha256").update(seed).digest("hex"),
};
