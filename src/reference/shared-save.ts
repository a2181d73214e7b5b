/**
 * Answers nothing before it is saved. Changes during a save share the next one, so that no answer
 * waits for more than two saves.
 */
export class SharedSave {
  readonly #save: () => Promise<void>;
  #waiting: (() => void)[] = [];
  #running: Promise<void> | undefined;

  /** @param save resolves at once if there is nothing to save; never fails */
  constructor(save: () => Promise<void>) {
    this.#save = save;
  }

  /** Calls `tell` after all changes so far are saved, in the order of these calls. */
  afterwards(tell: () => void): void {
    this.#waiting.push(tell);
    this.#running ??= this.#run();
  }

  /** Resolves when everything is saved and told. */
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
