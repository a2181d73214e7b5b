export interface Pace {
  /** Tokens that come back in a second. */
  readonly perSecond: number;
  /** Tokens that a bucket holds. */
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

/** Buckets that are held at once: then those that are full again, which is most, are dropped. */
const mostBuckets = 20_000;

/** Token buckets, one for each key (X4). */
export class Buckets {
  readonly #pace: Pace;
  readonly #buckets = new Map<string, Bucket>();

  constructor(pace: Pace) {
    this.#pace = pace;
  }

  /**
   * Takes a token.
   * @returns 0, or the milliseconds until there is one, and takes none
   */
  take(key: string, steadyMs: number): number {
    const { perSecond, burst } = this.#pace;
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      if (this.#buckets.size >= mostBuckets) this.#prune(steadyMs);
      bucket = { tokens: burst, atMs: steadyMs };
      this.#buckets.set(key, bucket);
    }
    this.#fill(bucket, steadyMs);
    if (bucket.tokens < 1) return Math.ceil(((1 - bucket.tokens) * 1_000) / perSecond);
    bucket.tokens -= 1;
    return 0;
  }

  #fill(bucket: Bucket, steadyMs: number): void {
    const { perSecond, burst } = this.#pace;
    const gained = ((steadyMs - bucket.atMs) * perSecond) / 1_000;
    bucket.tokens = Math.min(burst, bucket.tokens + gained);
    bucket.atMs = steadyMs;
  }

  /** Who has a full bucket needs none; if that is not enough, the oldest go. */
  #prune(steadyMs: number): void {
    for (const [key, bucket] of this.#buckets) {
      this.#fill(bucket, steadyMs);
      if (bucket.tokens >= this.#pace.burst) this.#buckets.delete(key);
    }
    for (const key of this.#buckets.keys()) {
      if (this.#buckets.size < mostBuckets) return;
      this.#buckets.delete(key);
    }
  }
}
