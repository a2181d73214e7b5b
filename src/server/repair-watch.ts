import { durations } from "../protocol/limits.ts";
import type { EndTimer, Timers } from "./surroundings.ts";

/**
 * A time limit for the wait for events that a damaged disk lost (J5). Each sign of progress starts
 * the time limit again. The shell ends the process if the limit passes without progress.
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
