import { durations } from "../protocol/limits.ts";
import type { EndTimer, Timers } from "./surroundings.ts";

/**
 * Waits for what a disk lost, as long as something of it comes (J5). One timer, however often the
 * disk is loaded.
 */
export class RepairWatch {
  readonly #timers: Pick<Timers, "after">;
  readonly #onGivenUp: () => void;
  #endTimer: EndTimer = () => {};

  /** @param onGivenUp nothing came for a minute */
  constructor(timers: Pick<Timers, "after">, onGivenUp: () => void) {
    this.#timers = timers;
    this.#onGivenUp = onGivenUp;
  }

  /** Something came, or the wait begins. */
  progress(): void {
    this.end();
    this.#endTimer = this.#timers.after(durations.repairMs, this.#onGivenUp);
  }

  end(): void {
    this.#endTimer();
  }
}
