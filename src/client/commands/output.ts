import type { Host } from "../../platform/host.ts";
import type { TerminalLook } from "../../platform/terminal-look.ts";
import { harmless, harmlessJson } from "../../protocol/harmless.ts";
import { ansi, harmlessLine, type Paint, plain } from "../core/paint.ts";

/**
 * Writes a command's output: data to stdout, messages to stderr; in JSON mode, one object per line.
 * Makes every line harmless.
 */
export class Output {
  readonly json: boolean;
  readonly look: TerminalLook;
  readonly paint: Paint;
  readonly #host: Host;

  constructor(host: Host, { json, look }: { json: boolean; look: TerminalLook }) {
    this.#host = host;
    this.json = json;
    this.look = look;
    this.paint = look.hasColours ? ansi : plain;
  }

  /** Prints `value` in JSON mode, else the line. */
  data(value: unknown, line: string): void {
    if (this.json) this.value(value);
    else this.line(line);
  }

  line(line: string): void {
    this.#host.output.write(`${harmlessLine(line, this.paint)}\n`);
  }

  /** Writes data as one line of JSON. */
  value(value: unknown): void {
    this.#host.output.write(`${harmlessJson(JSON.stringify(value))}\n`);
  }

  /** Writes a message that only a person needs; does nothing in JSON mode. */
  note(line: string): void {
    if (!this.json) this.error(line);
  }

  /** Reports a completed write: an object in JSON mode, else a sentence for a person. */
  done(value: unknown, sentence: string): void {
    if (this.json) this.value(value);
    else this.note(sentence);
  }

  error(line: string): void {
    this.#host.errors.write(`${harmless(line)}\n`);
  }

  /** Writes an error as JSON, for scripts. */
  errorValue(value: unknown): void {
    this.#host.errors.write(`${harmlessJson(JSON.stringify(value))}\n`);
  }

  /** Clears the screen, but does nothing in JSON mode or without a terminal. */
  clear(): void {
    if (this.#host.output.isTTY && !this.json) this.#host.output.write("\x1b[H\x1b[2J");
  }
}
