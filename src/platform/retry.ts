import { pause } from "./clock.ts";

export interface RetryPolicy {
  /** Returns whether another attempt can succeed after this error; by default true. */
  readonly canHelp?: (error: unknown) => boolean;
  /** The most attempts; by default there is no bound. */
  readonly mostTries?: number;
  /**
   * The pause before the second attempt; each later pause is twice as long, up to `mostPauseMs`.
   */
  readonly pauseMs: number;
  /** The longest pause; by default `pauseMs`. */
  readonly mostPauseMs?: number;
  /** Aborting this signal ends the attempts. */
  readonly signal?: AbortSignal;
}

/**
 * Repeats an act until it succeeds.
 * @throws the error of the last attempt
 */
export async function retrying<T>(policy: RetryPolicy, act: () => Promise<T>): Promise<T> {
  const { canHelp = () => true, mostTries = Number.POSITIVE_INFINITY, signal } = policy;
  const { pauseMs, mostPauseMs = pauseMs } = policy;
  for (let tries = 1, nextMs = pauseMs; ; tries += 1, nextMs = Math.min(2 * nextMs, mostPauseMs)) {
    try {
      return await act();
    } catch (error) {
      if (tries >= mostTries || !canHelp(error)) throw error;
      await pause(nextMs, signal);
      if (signal?.aborted) throw error;
    }
  }
}
