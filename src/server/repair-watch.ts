import { durations } from "../protocol/limits.ts";

/**
 * Waits for what a disk lost, as long as something of it comes (J5). One timer, however often the
 * disk is loaded.
 */
export class RepairWatch {
  readonly #onGivenUp: () => void;
  #timer: NodeJS.Timeout | undefined;

  /** @param onGivenUp nothing came for a minute */
  constructor(onGivenUp: () => void) {
    this.#onGivenUp = onGivenUp;
  }

  /** Something came, or the wait begins. */
  progress(): void {
    this.end();
    this.#timer = setTimeout(this.#onGivenUp, durations.repairMs).unref();
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}
