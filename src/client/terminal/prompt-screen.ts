import { Writable } from "node:stream";
import type { LentTerminal } from "../../platform/job-control.ts";
import { ansi, harmlessLine } from "../core/paint.ts";

const csi = "\x1b\\[";
/**
 * Matches how a drawing by inquirer begins: it moves to the top of the previous drawing and erases
 * that drawing.
 */
const erasing = new RegExp(`^(?:${csi}\\d+B)?(?:${csi}2K(?:${csi}1A|${csi}G))*`);
/**
 * Matches how a drawing by inquirer ends: it moves up to the cursor's line, and then to the
 * cursor's column.
 */
const placing = new RegExp(`(?:${csi}(\\d+)A)?${csi}\\d+G$`);
const onlyColumn = new RegExp(`^${csi}\\d+G$`);
const lastColumn = new RegExp(`${csi}\\d+G$`);
const showCursor = "\x1b[?25h";

/**
 * A terminal with a prompt at its end. To print a line above the prompt, this class erases the
 * prompt, prints the line, and repeats the prompt's last drawing, which contains the typed text.
 */
export class PromptScreen implements LentTerminal {
  readonly #terminal: NodeJS.WriteStream;
  /** The text that draws the present prompt from its first line; undefined without a prompt. */
  #drawing: string | undefined;
  /**
   * Lines to print when the process gets the terminal back after Ctrl-Z; undefined while it has the
   * terminal.
   */
  #held: string[] | undefined;

  constructor(terminal: NodeJS.WriteStream) {
    this.#terminal = terminal;
  }

  /** @returns an output stream for one prompt */
  open(): NodeJS.WritableStream {
    const terminal = this.#terminal;
    const stream = new Writable({
      write: (chunk, _encoding, done) => {
        const text = String(chunk);
        this.#remember(text);
        terminal.write(text);
        done();
      },
    });
    // inquirer wraps lines by these properties.
    return Object.defineProperties(stream, {
      isTTY: { value: terminal.isTTY },
      columns: { get: () => terminal.columns },
      rows: { get: () => terminal.rows },
    });
  }

  /** Prints a line, above the prompt if there is one. */
  print(line: string): void {
    if (this.#held !== undefined) {
      this.#held.push(line);
      return;
    }
    const text = harmlessLine(line, ansi);
    const drawing = this.#drawing;
    if (drawing === undefined) {
      this.#terminal.write(`${text}\n`);
      return;
    }
    const row = cursorRow(drawing);
    const up = row > 0 ? `\x1b[${row}A` : "";
    this.#terminal.write(`\r${up}\x1b[J${text}\n${drawing}`);
  }

  /** Moves the cursor below the prompt, so that other programs do not write over the prompt. */
  giveBack(): void {
    this.#held ??= [];
    const rows = rowsBelow(this.#drawing ?? "");
    this.#terminal.write(`${rows > 0 ? `\x1b[${rows}B` : ""}\r${showCursor}`);
  }

  takeAgain(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    this.#terminal.write(this.#drawing ?? "");
    for (const line of held) this.print(line);
  }

  #remember(text: string): void {
    // The output of a finished prompt ends with the sequence that shows the cursor.
    if (text.endsWith(showCursor)) {
      this.#drawing = undefined;
    } else if (onlyColumn.test(text)) {
      this.#drawing = this.#drawing?.replace(lastColumn, text);
    } else if (placing.test(text)) {
      this.#drawing = text.replace(erasing, "");
    }
  }
}

/** @returns the line of the prompt with the cursor, counted from 0 */
function cursorRow(drawing: string): number {
  return drawing.split("\n").length - 1 - rowsBelow(drawing);
}

function rowsBelow(drawing: string): number {
  const [, up] = placing.exec(drawing) ?? [];
  return Number(up ?? 0);
}
