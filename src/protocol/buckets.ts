import { limits } from "./limits.ts";
import { Recent } from "./recent.ts";

export interface Pace {
  /** Tokens that a bucket gains in a second. */
  readonly perSecond: number;
  /** The most tokens that a bucket can hold. */
  readonly burst: number;
}

interface Bucket {
  readonly tokens: number;
  readonly atMs: number;
}

/** Token buckets, one for each key (X4). */
export class Buckets {
  readonly #pace: Pace;
  /**
   * Above its bound the map drops the bucket that was used longest ago. If the key of a dropped
   * bucket comes again, the key gets a new bucket with all tokens. A client gains nothing by this:
   * to have one bucket dropped, the client must send more requests than that bucket would refuse.
   */
  readonly #buckets = new Recent<string, Bucket>(limits.floodBuckets);

  constructor(pace: Pace) {
    this.#pace = pace;
  }

  /**
   * Takes tokens of the key's bucket, if the bucket has so many.
   * @param count how many tokens; a full bucket is always enough
   * @returns 0, or the milliseconds until the bucket has enough tokens
   */
  take(key: string, steadyMs: number, count = 1): number {
    const taken = Math.min(count, Math.max(1, this.#pace.burst));
    const filled = this.#filled(key, steadyMs);
    const left = filled < taken ? filled : filled - taken;
    this.#buckets.set(key, { tokens: left, atMs: steadyMs });
    return this.#waitFor(filled, taken);
  }

  /** Returns what `take` would return, without taking a token. */
  wait(key: string, steadyMs: number): number {
    return this.#waitFor(this.#filled(key, steadyMs));
  }

  #filled(key: string, steadyMs: number): number {
    const { perSecond, burst } = this.#pace;
    const { tokens, atMs } = this.#buckets.get(key) ?? { tokens: burst, atMs: steadyMs };
    return Math.min(burst, tokens + ((steadyMs - atMs) * perSecond) / 1_000);
  }

  #waitFor(filled: number, taken = 1): number {
    if (filled >= taken) return 0;
    return Math.ceil(((taken - filled) * 1_000) / this.#pace.perSecond);
  }
}
