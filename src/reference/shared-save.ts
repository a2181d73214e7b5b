/**
 * Delays each answer until all changes made before the answer are on disk. All changes made during
 * a save share the next save, so an answer waits for at most two saves.
 */
export class SharedSave {
  readonly #save: () => Promise<void>;
  #waiting: (() => void)[] = [];
  #running: Promise<void> | undefined;

  /** @param save resolves at once if there is nothing to save; never rejects */
  constructor(save: () => Promise<void>) {
    this.#save = save;
  }

  /**
   * Calls `tell` when all changes so far are saved. Callbacks of several calls run in the order of
   * the calls.
   */
  afterwards(tell: () => void): void {
    this.#waiting.push(tell);
    this.#running ??= this.#run();
  }

  /** Resolves when all changes are saved and all callbacks were called. */
  async settled(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const telling = this.#waiting;
      this.#waiting = [];
      await this.#save();
      for (const tell of telling) tell();
    }
    this.#running = undefined;
  }
}
