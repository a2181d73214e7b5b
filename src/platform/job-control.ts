/**
 * Code that uses the terminal, and lends it to other programs while this process is stopped. Both
 * methods may be called several times in a row.
 */
export interface LentTerminal {
  giveBack(): void;
  /**
   * Sets the terminal's mode before the process writes anything. If the process is in the background,
   * setting the mode stops it, so that it does not write.
   */
  takeAgain(): void;
}

export interface Suspension extends Disposable {
  /**
   * Stops the process as a job. In raw mode a terminal sends no signal for Ctrl-Z, so the code that
   * reads the key calls this method.
   */
  suspend(): void;
}

/**
 * Milliseconds in which the stop signal certainly arrives. A stopped process runs no timers, so a
 * timer of this length ends only after the process has continued.
 */
const signalMs = 50;

/**
 * Stops and continues this process as a job of the shell, and informs all users of the terminal.
 */
export class JobControl {
  readonly #lent = new Set<LentTerminal>();
  #timer: NodeJS.Timeout | undefined;

  lend(terminal: LentTerminal): Suspension {
    if (this.#lent.size === 0) {
      process.on("SIGTSTP", this.#suspend);
      process.on("SIGCONT", this.#goOn);
    }
    this.#lent.add(terminal);
    return { suspend: this.#suspend, [Symbol.dispose]: () => this.#end(terminal) };
  }

  #end(terminal: LentTerminal): void {
    this.#lent.delete(terminal);
    if (this.#lent.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    process.off("SIGTSTP", this.#suspend);
    process.off("SIGCONT", this.#goOn);
  }

  readonly #suspend = () => {
    this.#giveBack();
    // The listener is removed, because a SIGTSTP with a listener does not stop the process.
    process.off("SIGTSTP", this.#suspend);
    // The signal is sent to the whole job, so that the shell notices the stop.
    process.kill(0, "SIGTSTP");
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      process.on("SIGTSTP", this.#suspend);
      this.#takeAgain();
    }, signalMs);
  };

  /**
   * Sets up the terminal again after a stop without warning (SIGSTOP), because other programs may
   * have used it.
   */
  readonly #goOn = () => {
    if (this.#timer !== undefined) return;
    this.#giveBack();
    this.#takeAgain();
  };

  #giveBack(): void {
    for (const terminal of this.#lent) terminal.giveBack();
  }

  #takeAgain(): void {
    // A stopped process gets no SIGWINCH when the size of its terminal changes, so the event is
    // emitted here.
    process.emit("SIGWINCH");
    for (const terminal of this.#lent) terminal.takeAgain();
  }
}
