import { pause } from "./clock.ts";

export interface RetryPolicy {
  /** Whether another try can help; yes unless told. */
  readonly canHelp?: (error: unknown) => boolean;
  /** No bound unless told. */
  readonly mostTries?: number;
  /** Before the second try; each later pause is twice as long, up to `mostPauseMs`. */
  readonly pauseMs: number;
  /** `pauseMs` unless told. */
  readonly mostPauseMs?: number;
  /** Once it is aborted there is no further try. */
  readonly signal?: AbortSignal;
}

/**
 * Tries until an act succeeds.
 * @throws the error of the last try
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
