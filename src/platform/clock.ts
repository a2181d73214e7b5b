export interface Instant {
  /** Milliseconds since 1970. */
  readonly wallMs: number;
  /** Milliseconds of a clock that only moves forward. */
  readonly steadyMs: number;
}

export function now(): Instant {
  return { wallMs: Date.now(), steadyMs: performance.now() };
}

/** The machine's time at steady time 0, in milliseconds since 1970 with a fraction. */
export const steadyOriginMs = performance.timeOrigin;

/** Returns the minutes by which local clocks are ahead of UTC at the time `ms`. */
export function zoneMinutes(ms: number): number {
  return -new Date(ms).getTimezoneOffset();
}

/** Resolves after `ms` milliseconds, or as soon as the signal is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done, { once: true });
  });
}
