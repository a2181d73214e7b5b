/** A terminal that other programs use while this process is stopped. Calls may repeat. */
export interface LentTerminal {
  giveBack(): void;
  /** Sets the terminal's mode before it writes: that stops a job in the background once more. */
  takeAgain(): void;
}

export interface Suspension extends Disposable {
  /** Stops the process as a job, for Ctrl-Z in a terminal in raw mode. */
  suspend(): void;
}

/** Time for the stopping signal to arrive. The timer does not run while the process is stopped. */
const signalMs = 50;

/** Stops and continues this process as a job of the shell, once for all users of the terminal. */
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
    // A signal with a listener stops nothing.
    process.off("SIGTSTP", this.#suspend);
    // The signal goes to the whole job, so that the shell notices.
    process.kill(0, "SIGTSTP");
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      process.on("SIGTSTP", this.#suspend);
      this.#takeAgain();
    }, signalMs);
  };

  /** After a stop without warning (SIGSTOP): other programs may have used the terminal. */
  readonly #goOn = () => {
    if (this.#timer !== undefined) return;
    this.#giveBack();
    this.#takeAgain();
  };

  #giveBack(): void {
    for (const terminal of this.#lent) terminal.giveBack();
  }

  #takeAgain(): void {
    // A stopped process gets no signal about a new size of the terminal.
    process.emit("SIGWINCH");
    for (const terminal of this.#lent) terminal.takeAgain();
  }
}
