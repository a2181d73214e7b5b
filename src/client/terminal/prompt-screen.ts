import { Writable } from "node:stream";
import type { LentTerminal } from "../../platform/job-control.ts";
import { ansi, harmlessLine } from "../core/paint.ts";

const csi = "\x1b\\[";
/** How inquirer begins a drawing: back to the top of the one before, erasing its lines. */
const erasing = new RegExp(`^(?:${csi}\\d+B)?(?:${csi}2K(?:${csi}1A|${csi}G))*`);
/** How it ends one: up to the line of the cursor, and to its column. */
const placing = new RegExp(`(?:${csi}(\\d+)A)?${csi}\\d+G$`);
const onlyColumn = new RegExp(`^${csi}\\d+G$`);
const lastColumn = new RegExp(`${csi}\\d+G$`);
const showCursor = "\x1b[?25h";

/**
 * A terminal with a prompt at its end. It remembers how the prompt was drawn, so that a line can
 * come above: the prompt is wiped, the line printed, the prompt drawn again as it was, with what
 * was typed so far.
 */
export class PromptScreen implements LentTerminal {
  readonly #terminal: NodeJS.WriteStream;
  /** What draws the present prompt, from its first line. */
  #drawing: string | undefined;
  /** Lines to print when the process gets the terminal back. */
  #held: string[] | undefined;

  constructor(terminal: NodeJS.WriteStream) {
    this.#terminal = terminal;
  }

  /** The output of one prompt. */
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
    // What inquirer measures its lines by.
    return Object.defineProperties(stream, {
      isTTY: { value: terminal.isTTY },
      columns: { get: () => terminal.columns },
      rows: { get: () => terminal.rows },
    });
  }

  /** Prints above the prompt, if there is one. */
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

  /** The cursor goes below the prompt, which stays to be read. */
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
    // A prompt that is done shows the cursor again, at the very end.
    if (text.endsWith(showCursor)) {
      this.#drawing = undefined;
    } else if (onlyColumn.test(text)) {
      this.#drawing = this.#drawing?.replace(lastColumn, text);
    } else if (placing.test(text)) {
      this.#drawing = text.replace(erasing, "");
    }
  }
}

/** The line of the prompt that the cursor is on, from 0. */
function cursorRow(drawing: string): number {
  return drawing.split("\n").length - 1 - rowsBelow(drawing);
}

function rowsBelow(drawing: string): number {
  const [, up] = placing.exec(drawing) ?? [];
  return Number(up ?? 0);
}
