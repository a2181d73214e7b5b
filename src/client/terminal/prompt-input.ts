import { PassThrough } from "node:stream";
import { bytesOf } from "../core/key-bytes.ts";
import { KeyReader } from "./key-reader.ts";

/**
 * The terminal's input while one question is asked. A paste of several lines becomes one line,
 * which waits for Enter: none of its lines answers the next question.
 */
export class PromptInput extends PassThrough {
  readonly isTTY = true;
  readonly #terminal: NodeJS.ReadStream;
  readonly #keys = new KeyReader((key) => this.write(bytesOf(key)));

  constructor(terminal: NodeJS.ReadStream) {
    super();
    this.#terminal = terminal;
    terminal.on("data", this.#read);
    terminal.on("end", this.#end);
    terminal.resume();
  }

  setRawMode(isRaw: boolean): this {
    this.#terminal.setRawMode(isRaw);
    return this;
  }

  [Symbol.dispose](): void {
    this.#terminal.off("data", this.#read);
    this.#terminal.off("end", this.#end);
    this.#terminal.pause();
    this.#keys.forget();
  }

  readonly #read = (chunk: Buffer) => this.#keys.read(chunk);
  readonly #end = () => this.end();
}
