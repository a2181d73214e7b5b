import { durations } from "../protocol/limits.ts";
import type { EndTimer, Timers } from "./surroundings.ts";

/**
 * Limits the wait for events that a damaged disk lost (J5). The time limit starts again whenever
 * some of these events or a page of a peer's saved state arrive, and when a new core begins to run.
 * At most one timer runs.
 */
export class RepairWatch {
  readonly #timers: Pick<Timers, "after">;
  readonly #onGivenUp: () => void;
  #endTimer: EndTimer = () => {};

  /** @param onGivenUp called when `progress` was not called for `durations.repairMs` */
  constructor(timers: Pick<Timers, "after">, onGivenUp: () => void) {
    this.#timers = timers;
    this.#onGivenUp = onGivenUp;
  }

  /** Starts or restarts the time limit. */
  progress(): void {
    this.end();
    this.#endTimer = this.#timers.after(durations.repairMs, this.#onGivenUp);
  }

  end(): void {
    this.#endTimer();
  }
}
