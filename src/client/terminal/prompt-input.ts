import { PassThrough } from "node:stream";
import type { Host } from "../../platform/host.ts";
import type { LentTerminal, Suspension } from "../../platform/job-control.ts";
import { bytesOf } from "../core/key-bytes.ts";
import { isControl, type Key } from "../core/keys.ts";
import { KeyReader } from "./key-reader.ts";

/**
 * The terminal's input during one question. A paste of several lines becomes one line that waits
 * for Enter, so that no pasted line answers the next question.
 */
export class PromptInput extends PassThrough {
  readonly isTTY = true;
  readonly #terminal: NodeJS.ReadStream;
  readonly #question: LentTerminal;
  readonly #suspension: Suspension;
  readonly #keys = new KeyReader((key) => this.#press(key));
  #isRaw = false;
  /** True while the process is stopped and another process has the terminal. */
  #isLent = false;

  /** @param question the screen on which the question is drawn */
  constructor(host: Host, question: LentTerminal) {
    super();
    this.#terminal = host.input;
    this.#question = question;
    this.#suspension = host.onSuspend({
      giveBack: () => this.#giveBack(),
      takeAgain: () => this.#takeAgain(),
    });
    this.#listen();
  }

  setRawMode(isRaw: boolean): this {
    this.#isRaw = isRaw;
    this.#terminal.setRawMode(isRaw);
    return this;
  }

  [Symbol.dispose](): void {
    this.#suspension[Symbol.dispose]();
    this.#leave();
    if (this.#isLent) this.#question.takeAgain();
  }

  #listen(): void {
    this.#terminal.on("data", this.#read);
    this.#terminal.on("end", this.#end);
    this.#terminal.resume();
  }

  #leave(): void {
    this.#terminal.off("data", this.#read);
    this.#terminal.off("end", this.#end);
    this.#terminal.pause();
    this.#keys.forget();
  }

  #giveBack(): void {
    if (this.#isLent) return;
    this.#isLent = true;
    this.#leave();
    this.#terminal.setRawMode(false);
    this.#question.giveBack();
  }

  #takeAgain(): void {
    if (!this.#isLent) return;
    this.#isLent = false;
    this.#terminal.setRawMode(this.#isRaw);
    this.#listen();
    this.#question.takeAgain();
  }

  /** Handles Ctrl-Z here, because readline would treat it like Ctrl-D and stop reading. */
  #press(key: Key): void {
    if (isControl(key, "z")) this.#suspension.suspend();
    else this.write(bytesOf(key));
  }

  readonly #read = (chunk: Buffer) => this.#keys.read(chunk);
  readonly #end = () => this.end();
}
